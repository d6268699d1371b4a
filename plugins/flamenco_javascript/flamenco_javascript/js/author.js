// The module `author`, and the `job` that compileJob is called with.
(function (host) {
  "use strict";

  let tasksMade = 0;

  // The request brings one random id; each task has it with its own number mixed in.
  function nextId() {
    const seed = host.request.id;
    const mixed = (parseInt(seed.slice(0, 8), 16) ^ ++tasksMade) >>> 0;
    return mixed.toString(16).padStart(8, "0") + seed.slice(8);
  }

  function required(text, what) {
    const trimmed = host.toText(text).trim();
    if (!trimmed) throw new Error(`author.Task: a ${what} is required`);
    return trimmed;
  }

  function listOf(value, what) {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw new TypeError(`${what} must be a list`);
    return value;
  }

  class AuthoredCommand {
    #name;
    #parameters;
    #totalStepCount;

    constructor(name, parameters, totalStepCount) {
      this.name = name;
      this.parameters = parameters;
      this.totalStepCount = totalStepCount;
      Object.preventExtensions(this);
    }

    get name() { return this.#name; }
    set name(value) { this.#name = host.toText(value); }
    get totalStepCount() { return this.#totalStepCount; }
    set totalStepCount(value) { this.#totalStepCount = host.toInteger(value); }
    get parameters() { return this.#parameters; }
    set parameters(value) {
      if (value !== undefined && value !== null && !host.isObject(value)) {
        throw new TypeError(`command "${this.#name}": its parameters must be an object`);
      }
      this.#parameters = host.plain(value ?? {}, "parameters");
    }
  }

  class AuthoredTask {
    #uUID;
    #name;
    #type;
    #priority = 50;
    #commands = [];
    #dependencies = [];

    constructor(uUID, name, type) {
      this.#uUID = uUID;
      this.#name = name;
      this.#type = type;
      Object.preventExtensions(this);
    }

    get uUID() { return this.#uUID; }
    set uUID(value) { this.#uUID = host.toText(value); }
    get name() { return this.#name; }
    set name(value) { this.#name = host.toText(value); }
    get type() { return this.#type; }
    set type(value) { this.#type = host.toText(value); }
    get priority() { return this.#priority; }
    set priority(value) { this.#priority = host.toInteger(value); }
    get commands() { return this.#commands; }
    set commands(value) { this.#commands = listOf(value, "task.commands"); }
    get dependencies() { return this.#dependencies; }
    set dependencies(value) { this.#dependencies = listOf(value, "task.dependencies"); }

    addCommand(command) {
      if (this.#commands.length >= host.limits.commands) {
        throw new host.TooLarge(
          `task "${this.#name}" has more than ${host.limits.commands} commands (plugins: javascript: commands)`,
        );
      }
      this.#commands.push(copyOfCommand(command));
    }

    addDependency(task) {
      if (!host.isObject(task)) {
        throw new TypeError(`task "${this.#name}": addDependency expects a task`);
      }
      this.#dependencies.push(task);
    }
  }

  function copyOfCommand(command) {
    if (!host.isObject(command)) {
      throw new TypeError("addCommand expects a command, made with author.Command");
    }
    return new AuthoredCommand(command.name, command.parameters, command.totalStepCount);
  }

  function copyOfTask(task) {
    if (!host.isObject(task)) {
      throw new TypeError("job.addTask expects a task, made with author.Task");
    }
    const copy = new AuthoredTask(host.toText(task.uUID), host.toText(task.name), host.toText(task.type));
    copy.priority = task.priority ?? 50;
    copy.commands = listOf(task.commands, "task.commands").map(copyOfCommand);
    copy.dependencies = [...listOf(task.dependencies, "task.dependencies")];
    return copy;
  }

  host.modules.author = {
    Task: function Task(name, type) {
      return new AuthoredTask(nextId(), required(name, "name"), required(type, "type"));
    },
    Command: function Command(name, parameters, totalStepCount) {
      return new AuthoredCommand(name, parameters, totalStepCount);
    },
  };

  class AuthoredJob {
    #facts;
    #name;
    #priority;

    constructor(facts) {
      this.#facts = facts;
      this.#name = facts.name;
      this.#priority = facts.priority;
      this.created = new Date(facts.created);
      this.settings = facts.settings;
      this.metadata = facts.metadata;
      this.storage = { shamanCheckoutID: facts.shamanCheckoutID };
      this.tasks = [];
      this.jobID = facts.jobID;
      this.jobType = facts.jobType;
      this.status = "under-construction";
      this.workerTagUUID = facts.workerTagUUID;
      Object.preventExtensions(this);
    }

    get name() { return this.#name; }
    set name(value) { this.#name = host.toText(value); }
    get priority() { return this.#priority; }
    set priority(value) { this.#priority = host.toInteger(value); }

    addTask(task) {
      if (this.tasks.length >= host.limits.tasks) {
        throw new host.TooLarge(`it makes more than ${host.limits.tasks} tasks (plugins: javascript: tasks)`);
      }
      this.tasks.push(copyOfTask(task));
    }
  }

  host.newJob = function (facts) {
    return new AuthoredJob(facts);
  };

  function parentsOf(task, positions, budget) {
    return task.dependencies.map((parent) => {
      const position = positions.get(host.toText(parent?.uUID));
      return position ?? host.plain(host.toText(parent?.name), "name", budget);
    });
  }

  function plainCommand(given, budget) {
    const command = given instanceof AuthoredCommand ? given : copyOfCommand(given);
    const name = host.plain(command.name, "command name", budget);
    const parameters = host.plain(command.parameters, `parameters of "${name}"`, budget);
    return { name, parameters, steps: command.totalStepCount };
  }

  function plainTask(task, positions, budget) {
    return {
      id: host.plain(task.uUID, "uUID", budget),
      name: host.plain(task.name, "task name", budget),
      type: host.plain(task.type, "task type", budget),
      priority: task.priority,
      commands: task.commands.map((command) => plainCommand(command, budget)),
      // Positions in the job's list; of a task that is not in it, its name.
      parents: parentsOf(task, positions, budget),
    };
  }

  function plainMetadata(metadata, budget) {
    const plain = host.plain(metadata ?? {}, "job.metadata", budget);
    for (const key of Object.keys(plain)) plain[key] = host.toText(plain[key]);
    return plain;
  }

  // What became of the job, as plain data.
  host.finished = function (job) {
    const tasks = listOf(job.tasks, "job.tasks").map((task) =>
      task instanceof AuthoredTask ? task : copyOfTask(task),
    );
    const positions = new Map(tasks.map((task, at) => [task.uUID, at]));
    const budget = host.newBudget();
    return {
      name: host.plain(job.name, "job.name", budget),
      priority: job.priority,
      settings: host.plain(job.settings ?? {}, "job.settings", budget),
      metadata: plainMetadata(job.metadata, budget),
      tasks: tasks.map((task) => plainTask(task, positions, budget)),
    };
  };
});
