// What most studios' scripts look like: chunks of frames, then a film of them.
const JOB_TYPE = {
    label: "Still Frames",
    settings: [
        { key: "frames", type: "string", required: true },
        { key: "chunk_size", type: "int32", default: 1 },
        { key: "output", type: "string", subtype: "file_path" },
        { key: "blendfile", type: "string", required: true, visible: "web" },
        { key: "fps", type: "float", eval: "C.scene.render.fps", visible: "hidden" },
    ],
};

const FILM_ARGS = ["-c:v", "h264", "-crf", "20"];

function compileJob(job) {
    const output = job.settings.output;
    if (!output) throw "tell me where to put the frames";
    job.settings.output = output.replace(/\{(\w+)\}/g, (whole, word) =>
        word === "timestamp" ? formatTimestampLocal(job.created) : whole);

    const renders = renderTasks(job);
    for (const render of renders) job.addTask(render);
    const film = filmTask(job, renders);
    if (film) job.addTask(film);
}

function renderTasks(job) {
    const tasks = [];
    for (let chunk of frameChunker(job.settings.frames, job.settings.chunk_size)) {
        const task = author.Task(`render-${chunk}`, "blender");
        task.addCommand(author.Command("blender-render", {
            exe: "{blender}",
            exeArgs: "{blenderArgs}",
            argsBefore: [],
            blendfile: job.settings.blendfile,
            args: ["--render-output", job.settings.output, "--render-frame", chunk.replaceAll("-", "..")],
        }, frameCount(chunk)));
        tasks.push(task);
    }
    return tasks;
}

function filmTask(job, renders) {
    if (!job.settings.fps) return;
    const folder = path.dirname(job.settings.output);
    const task = author.Task("film", "ffmpeg");
    task.addCommand(author.Command("frames-to-video", {
        exe: "ffmpeg",
        fps: job.settings.fps,
        inputGlob: path.join(folder, "*.png"),
        outputFile: path.join(folder, path.stem(job.settings.blendfile) + ".mp4"),
        args: FILM_ARGS.concat(["-r", job.settings.fps]),
    }));
    for (const render of renders) task.addDependency(render);
    return task;
}
