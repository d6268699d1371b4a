// The modules `path` and `process`: paths of any platform, with forward slashes.
(function (host) {
  "use strict";

  function slashed(path) {
    return host.toText(path).replaceAll("\\", "/");
  }

  function basename(path) {
    const text = slashed(path);
    if (!text) return ".";
    const trimmed = text.replace(/\/+$/, "");
    return trimmed ? trimmed.slice(trimmed.lastIndexOf("/") + 1) : "/";
  }

  // Two slashes in front are kept: that is how Windows writes a network share.
  function dirname(path) {
    const text = slashed(path);
    const parent = text.slice(0, text.lastIndexOf("/") + 1);
    if (!parent) return ".";
    return parent.length > 1 ? parent.slice(0, -1) : parent;
  }

  function cleaned(path) {
    const rooted = path.startsWith("/");
    const parts = [];
    for (const part of path.split("/")) {
      if (part === "" || part === ".") continue;
      if (part !== "..") parts.push(part);
      else if (parts.length && parts[parts.length - 1] !== "..") parts.pop();
      else if (!rooted) parts.push(part);
    }
    return (rooted ? "/" : "") + parts.join("/") || (rooted ? "/" : ".");
  }

  function join(...parts) {
    const given = parts.map(host.toText).filter((part) => part !== "");
    // Cleaned before backslashes become slashes; scripts rely on this order.
    return given.length ? cleaned(given.join("/")).replaceAll("\\", "/") : "";
  }

  function stem(path) {
    const name = basename(path);
    const dot = name.lastIndexOf(".");
    return dot < 0 ? name : name.slice(0, dot);
  }

  host.modules.path = { basename, dirname, join, stem };
  host.modules.process = {
    cwd: () => host.request.cwd,
    get platform() {
      return host.request.platform;
    },
  };
});
