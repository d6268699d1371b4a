// Uses every call of the interface once, and hands back what came of it in its settings.
const JOB_TYPE = {
    label: "Every Call",
    description: "Calls all there is.",
    settings: [
        { key: "frames", type: "string", required: true, eval: "'1-5'",
          evalInfo: { showLinkButton: true, description: "All frames" } },
        { key: "chunk_size", type: "int32", default: 3, propargs: { min: 1, max: 50 }, visible: "submission" },
        { key: "format", type: "string", choices: ["PNG", "EXR"], default: "PNG", visible: "web" },
        { key: "folder", type: "string", subtype: "dir_path", label: "Where to", editable: false },
        { key: "speed", type: "float", default: 1.5, visible: "hidden", required: false },
        { key: "loud", type: "bool", default: false, description: "Say more" },
    ],
};

function compileJob(job) {
    const settings = job.settings;
    print("compiling", job.name, { chunk: settings.chunk_size }, [1, 2], null, undefined);
    alert("mind the gap");

    settings.chunks = frameChunker(settings.frames, settings.chunk_size);
    settings.count = frameCount(settings.frames);
    settings.stamp = formatTimestampLocal(job.created);
    settings.words = shellSplit("--one 'two three' four\\ five # not this");
    settings.names = [path.basename("a/b.c"), path.dirname("a/b.c"), path.join("a", "..", "b"), path.stem("a/b.c")];
    settings.place = [process.cwd(), process.platform];
    settings.same = require("author") === author && require("path") === path && require("process") === process;
    settings.greeting = require("greetings").greet(job.name);
    settings.facts = [job.jobID, job.jobType, job.priority, job.status, job.storage.shamanCheckoutID,
        job.workerTagUUID, job.metadata.project, job.tasks.length, typeof job.created];

    const first = author.Task("  first ", " misc ");
    first.addCommand(author.Command("echo", { message: "hello" }));
    first.priority = 80;
    job.addTask(first);

    const second = author.Task("second", "misc");
    second.addDependency(first);
    second.addCommand(author.Command("sleep", { duration_in_seconds: 2.0 }, 4));
    second.addCommand(author.Command("exec", { exe: "true", args: ["-x", 1, 2.5, true] }));
    job.addTask(second);

    settings.ids = [first.uUID, second.uUID];
    settings.shown = [first.name, first.type, first.priority, first.commands.length, second.dependencies.length];
    job.metadata.made_by = "every call";
    job.name = job.name + " (all)";
    job.priority = 61;
}
