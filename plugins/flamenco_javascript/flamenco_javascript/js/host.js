// Puts everything in place for one script, and answers what the Manager asks of it.
(function (host) {
  "use strict";

  // Engine features that Flamenco's scripts never had. Each is a way to more memory,
  // threads or time than a job type needs.
  for (const name of [
    "WebAssembly", "SharedArrayBuffer", "Atomics", "console",
    "setTimeout", "clearTimeout", "__timer_manager",
  ]) {
    if (!Reflect.deleteProperty(globalThis, name)) globalThis[name] = undefined;
  }

  const loaded = new Map();
  let compiling = "";
  const compileModule = globalThis.eval; // called by another name, it evaluates globally

  function fileOf(name, folder) {
    const asked = host.toText(name);
    const path = asked.startsWith("./") ? folder + asked.slice(2) : asked;
    if (path.startsWith("/") || path.includes("\\") || path.split("/").includes("..")) {
      throw new Error(`require("${asked}"): only files in the folder of the scripts can be used`);
    }
    for (const file of [path, `${path}.js`, `${path}.json`, `${path}/index.js`]) {
      if (Object.hasOwn(host.request.libraries, file)) return file;
    }
    throw new Error(`require("${asked}"): there is no such module, nor file in the folder of the scripts`);
  }

  function evaluated(file, source, module) {
    const body = `(function (exports, require, module) {"use strict";${source}\n})`;
    const folder = file.slice(0, file.lastIndexOf("/") + 1);
    compiling = file;
    const run = compileModule(`${body}\n//# sourceURL=${host.shownName(file)}`);
    compiling = "";
    run.call(module.exports, module.exports, requireFrom(folder), module);
    return module.exports;
  }

  function load(file) {
    const source = host.request.libraries[file];
    const module = { exports: {} };
    loaded.set(file, module); // before it runs: two libraries may need each other
    let complete = false;
    // `finally` keeps the place of a syntax error in the message; catch and throw does not.
    try {
      module.exports = file.endsWith(".json") ? JSON.parse(source) : evaluated(file, source, module);
      complete = true;
    } finally {
      if (!complete) loaded.delete(file);
    }
    return module;
  }

  function requireFrom(folder) {
    return function require(name) {
      if (Object.hasOwn(host.modules, host.toText(name))) return host.modules[name];
      const file = fileOf(name, folder);
      return (loaded.get(file) ?? load(file)).exports;
    };
  }

  // V8 names no file in a syntax error.
  host.compiling = function () {
    return compiling;
  };

  // Taken before any script can put others in their place.
  const { parse, stringify } = JSON;

  host.begin = function (request) {
    host.request = parse(request);
    host.limits = host.request.limits;
  };

  // V8 takes no blanks in the name that messages show.
  host.shownName = function (file) {
    return file.replace(/[^\w./-]/g, "_");
  };

  Object.assign(host.globals, host.modules, { require: requireFrom("") });
  for (const [name, value] of Object.entries(host.globals)) {
    // Configurable, so that a script may say `const path = require("path")`.
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }

  function checked(text) {
    if (text.length > host.limits.answer) throw new host.TooLarge(`it comes to more than ${host.limits.answer >> 20} MB (plugins: javascript: answer_mb)`);
    return text;
  }

  function hasCompiler(script) {
    if (typeof script.compileJob !== "function") {
      throw new Error("it does not define a compileJob(job) function");
    }
  }

  host.describe = function (script) {
    if (!host.isObject(script.JOB_TYPE)) {
      throw new host.NoJobType("it does not define JOB_TYPE");
    }
    hasCompiler(script);
    return checked(stringify(host.plain(script.JOB_TYPE, "JOB_TYPE")));
  };

  let job;
  let outcome = { state: "done" };

  host.compile = function (script) {
    hasCompiler(script);
    job = host.newJob(host.request.job);
    const result = script.compileJob(job);
    if (result instanceof Promise) {
      outcome = { state: "pending" };
      result.then(
        () => { outcome = { state: "done" }; },
        (error) => { outcome = { state: "failed", error }; },
      );
    }
  };

  // A second step: what an async compileJob does comes after its first return.
  host.finish = function () {
    if (outcome.state === "failed") throw outcome.error;
    if (outcome.state === "pending") {
      throw new Error("compileJob is async and waits for something that never happens");
    }
    const parts = [];
    const { tasks, ...rest } = host.finished(job);
    for (const task of tasks) parts.push(stringify(task));
    return checked(`{"job":${stringify(rest)},"tasks":[${parts.join(",")}]}`);
  };

  host.said = function () {
    return checked(stringify(host.lines));
  };

  host.NoJobType = class NoJobType extends Error {
    get name() {
      return "NoJobType";
    }
  };
});
