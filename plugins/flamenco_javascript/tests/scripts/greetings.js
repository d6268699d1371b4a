// A library: no JOB_TYPE.
const words = require("./parts/words");
const numbers = require("parts/numbers.json");

exports.greet = function (name) {
    return `${words.hello} ${name} ${numbers.answer}`;
};
