// How values cross from a script to the host: leniently, as Flamenco's scripts expect.
(function (host) {
  "use strict";

  const MAX_DEPTH = 64;

  // What is missing is empty; everything else is what it reads like.
  host.toText = function (value) {
    return value === undefined || value === null ? "" : String(value).toWellFormed();
  };

  // Whole numbers only: fractions are cut off, and what is no number is 0.
  host.toInteger = function (value) {
    const number = Math.trunc(Number(value ?? 0));
    return Number.isFinite(number) ? number + 0 : 0;
  };

  // One for each answer: an answer that would be too large is refused while it is copied,
  // before a text of half a gigabyte is made of it.
  host.newBudget = function () {
    return { left: host.limits.answer };
  };

  function spend(budget, length) {
    budget.left -= length;
    if (budget.left < 0) {
      throw new host.TooLarge(`it comes to more than ${host.limits.answer >> 20} MB (plugins: javascript: answer_mb)`);
    }
  }

  function plainText(text, budget, where) {
    spend(budget, text.length);
    if (text.includes("\0")) {
      throw new TypeError(`${where}: a text must not have NUL characters`);
    }
    return text.toWellFormed();
  }

  function plainNumber(number, where) {
    if (!Number.isFinite(number)) {
      throw new TypeError(`${where}: ${number} cannot be sent to a worker`);
    }
    return number;
  }

  function plainObject(object, budget, where, depth) {
    const copy = {};
    for (const key of Object.keys(object)) {
      const value = plain(object[key], budget, `${where}.${key}`, depth + 1);
      if (value !== undefined) {
        spend(budget, key.length + 4);
        // Not by assignment: a key may be called __proto__.
        Object.defineProperty(copy, key.toWellFormed(), {
          value, enumerable: true, writable: true, configurable: true,
        });
      }
    }
    return copy;
  }

  function plainList(list, budget, where, depth) {
    const copy = [];
    for (let at = 0; at < list.length; at++) {
      spend(budget, 2);
      copy.push(plain(list[at], budget, `${where}[${at}]`, depth + 1) ?? null);
    }
    return copy;
  }

  function plain(value, budget, where, depth) {
    if (depth > MAX_DEPTH) {
      throw new TypeError(`${where.slice(0, 60)}…: nested too deeply; does it contain itself?`);
    }
    switch (typeof value) {
      case "undefined":
        return undefined;
      case "string":
        return plainText(value, budget, where);
      case "number":
        return plainNumber(value, where);
      case "boolean":
        return value;
      case "object":
        return plainThing(value, budget, where, depth);
      default:
        throw new TypeError(`${where}: a ${typeof value} cannot be sent to a worker`);
    }
  }

  function plainThing(value, budget, where, depth) {
    if (value === null) {
      return null;
    }
    if (value instanceof Date) {
      return plainText(value.toISOString(), budget, where);
    }
    if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      return plain(value.valueOf(), budget, where, depth + 1);
    }
    if (value instanceof Set || value instanceof Map) {
      return plainList([...value], budget, where, depth);
    }
    if (Array.isArray(value)) {
      return plainList(value, budget, where, depth);
    }
    return plainObject(value, budget, where, depth);
  }

  // A copy that is nothing but data. `where` is how messages name the value.
  host.plain = function (value, where, budget = host.newBudget()) {
    return plain(value, budget, where, 0);
  };

  host.isObject = function (value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  };

  // Not an Error of the script's realm that it can name, so it cannot make one.
  host.TooLarge = class TooLarge extends Error {
    get name() {
      return "TooLarge";
    }
  };
});
