module.exports = { hello: "good morning" };
