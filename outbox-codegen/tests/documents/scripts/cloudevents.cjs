// Reads each line of `events.txt` as a CloudEvent in structured mode, strictly, and prints what it is.
const fs = require("node:fs");
const { CloudEvent, HTTP } = require("cloudevents");

const type = fs.readFileSync("content-type.txt", "utf8");
for (const body of fs.readFileSync("events.txt", "utf8").split("\n").filter(Boolean)) {
  const event = HTTP.toEvent({ headers: { "content-type": type }, body });
  event.validate();
  new CloudEvent(JSON.parse(body), true);
  console.log(JSON.stringify(event));
}
