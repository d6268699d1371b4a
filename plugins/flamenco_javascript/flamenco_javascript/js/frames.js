// Frame ranges; the same rules, limits and messages as flamenco_core/domain/frames.py.
(function (host) {
  "use strict";

  const BLANKS = " \t\n\v\f\r\x85\xa0";
  const NUMBER = /^[0-9]{1,15}$/;

  function stripped(text) {
    let start = 0;
    let end = text.length;
    while (start < end && BLANKS.includes(text[start])) start++;
    while (end > start && BLANKS.includes(text[end - 1])) end--;
    return text.slice(start, end);
  }

  function quoted(text) {
    return text.length <= 60 ? `"${text}"` : `"${text.slice(0, 60)}…"`;
  }

  function parsed(text) {
    const trimmed = stripped(text);
    if (!trimmed) {
      throw new Error(`invalid range ${quoted(text)}: empty range`);
    }
    const spans = [];
    for (const part of trimmed.replaceAll("..", "-").split(",")) {
      const numbers = part.split("-").map(stripped);
      if (numbers.length > 2 || !numbers.every((number) => NUMBER.test(number))) {
        throw new Error(
          `invalid range ${quoted(text)}: ${quoted(part)}` +
            " (expected a frame number, or two of them with a dash between)",
        );
      }
      const first = Number(numbers[0]);
      const last = Number(numbers[numbers.length - 1]);
      if (first <= last) spans.push([first, last]);
    }
    return spans;
  }

  function merged(text) {
    const result = [];
    for (const [first, last] of parsed(text).sort((a, b) => a[0] - b[0])) {
      const before = result[result.length - 1];
      if (before && first <= before[1] + 1) {
        before[1] = Math.max(last, before[1]);
      } else {
        result.push([first, last]);
      }
    }
    if (!result.length) {
      throw new Error(`invalid range ${quoted(text)}: empty range`);
    }
    const most = host.limits.frames;
    if (counted(result) > most) {
      const cure = "(limits: frames_per_range)";
      throw new Error(`invalid range ${quoted(text)}: more than ${most} frames ${cure}`);
    }
    return result;
  }

  function counted(spans) {
    return spans.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  function written(frames) {
    const parts = [];
    let start = 0;
    for (let at = 1; at <= frames.length; at++) {
      if (at < frames.length && frames[at] === frames[at - 1] + 1) continue;
      if (at - start > 2) {
        parts.push(`${frames[start]}-${frames[at - 1]}`);
      } else {
        parts.push(...frames.slice(start, at));
      }
      start = at;
    }
    return parts.join(",");
  }

  host.globals.frameChunker = function frameChunker(range, size) {
    const length = host.toInteger(size);
    if (length < 1) {
      throw new Error(`invalid chunk size ${length}: it must be at least 1`);
    }
    const frames = [];
    for (const [first, last] of merged(host.toText(range))) {
      for (let frame = first; frame <= last; frame++) frames.push(frame);
    }
    const chunks = [];
    for (let at = 0; at < frames.length; at += length) {
      chunks.push(written(frames.slice(at, at + length)));
    }
    return chunks;
  };

  host.globals.frameCount = function frameCount(range) {
    return counted(merged(host.toText(range)));
  };
});
