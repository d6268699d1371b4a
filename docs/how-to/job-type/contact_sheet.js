const JOB_TYPE = {
  label: "Contact Sheet",
  description: "Render stills and put them on one sheet.",
  settings: [
    { key: "blendfile", type: "string", required: true, subtype: "file_path" },
    { key: "frames", type: "string", required: true, eval: "str(C.scene.frame_current)" },
    { key: "chunk_size", type: "int32", default: 4 },
    { key: "folder", type: "string", required: true, subtype: "dir_path" },
  ],
};

function compileJob(job) {
  const settings = job.settings;
  for (const key of ["blendfile", "frames", "folder"]) {
    if (!settings[key]) throw new Error(`the setting ${key} is missing`);
  }
  if (frameCount(settings.frames) > 100) {
    throw new Error("a contact sheet has room for 100 frames");
  }
  const sheet = author.Task("sheet", "misc");
  for (const chunk of frameChunker(settings.frames, settings.chunk_size)) {
    const task = author.Task(`render-${chunk}`, "blender");
    task.addCommand(author.Command("blender-render", {
      exe: "{blender}",
      exeArgs: "{blenderArgs}",
      blendfile: settings.blendfile,
      args: ["--render-output", path.join(settings.folder, "######"), "--render-frame", chunk],
    }));
    sheet.addDependency(task);
    job.addTask(task);
  }
  sheet.addCommand(author.Command("echo", { message: `sheet of ${settings.frames}` }));
  job.addTask(sheet);
}
