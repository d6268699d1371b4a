// What scripts do with texts: say something, write a time, split a command line.
(function (host) {
  "use strict";

  const MAX_LINES = 1000;
  const MAX_LENGTH = 2000;

  host.lines = [];

  function shown(value) {
    if (typeof value !== "object" || value === null) return String(value);
    if (value instanceof Error) return String(value);
    try {
      return JSON.stringify(host.plain(value, "value"));
    } catch {
      return String(value);
    }
  }

  function say(level, values) {
    if (host.lines.length < MAX_LINES) {
      const text = values.map(shown).join(" ").toWellFormed();
      host.lines.push([level, text.slice(0, MAX_LENGTH)]);
    }
  }

  host.globals.print = function print(...values) {
    say("info", values);
  };

  host.globals.alert = function alert(...values) {
    say("warning", values);
  };

  function digits(number, length) {
    return String(number).padStart(length, "0");
  }

  host.globals.formatTimestampLocal = function formatTimestampLocal(date) {
    if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
      throw new TypeError("formatTimestampLocal: expected job.created or another valid Date");
    }
    const day = [digits(date.getFullYear(), 4), digits(date.getMonth() + 1, 2), digits(date.getDate(), 2)];
    const time = [date.getHours(), date.getMinutes(), date.getSeconds()];
    return `${day.join("-")}_${time.map((part) => digits(part, 2)).join("")}`;
  };

  // Reads a quoted part from just behind its opening quote; returns where it goes on.
  function readQuoted(text, at, quote, word) {
    for (; at < text.length; at++) {
      if (text[at] === quote) return at;
      if (quote === '"' && text[at] === "\\") at++;
      if (at < text.length) word.push(text[at]);
    }
    throw new Error(`shellSplit: a ${quote} is never closed`);
  }

  function endOfLine(text, at) {
    const end = text.indexOf("\n", at);
    return end < 0 ? text.length : end;
  }

  host.globals.shellSplit = function shellSplit(given) {
    const text = host.toText(given);
    const words = [];
    let word = null; // null between words: an empty pair of quotes is a word, too
    for (let at = 0; at < text.length; at++) {
      const letter = text[at];
      if (" \t\r\n".includes(letter)) {
        if (word) words.push(word.join(""));
        word = null;
      } else if (letter === "#" && !word) {
        at = endOfLine(text, at);
      } else if (letter === '"' || letter === "'") {
        word ??= [];
        at = readQuoted(text, at + 1, letter, word);
      } else if (letter === "\\") {
        if (++at >= text.length) throw new Error("shellSplit: nothing follows the last backslash");
        (word ??= []).push(text[at]);
      } else {
        (word ??= []).push(letter);
      }
    }
    if (word) words.push(word.join(""));
    return words;
  };
});
