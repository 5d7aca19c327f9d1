// Lists the tools of an MCP server and calls one, with an official client; says what it got as JSON.
const { createRequire } = require("node:module");

const given = JSON.parse(process.argv[2]);
const from = createRequire(`${given.modules}/`);

function pieces() {
  if (given.package === "@modelcontextprotocol/sdk") {
    return {
      ...from("@modelcontextprotocol/sdk/client/index.js"),
      ...from("@modelcontextprotocol/sdk/client/streamableHttp.js"),
    };
  }
  return from(given.package);
}

async function main() {
  const { Client, StreamableHTTPClientTransport } = pieces();
  const mode = given.negotiation === "legacy" ? "legacy" : { pin: given.negotiation };
  const client = new Client(
    { name: "hub-test", version: "1" },
    { versionNegotiation: { mode } },
  );
  let revision;
  const transport = new StreamableHTTPClientTransport(new URL(given.url), {
    requestInit: { headers: given.headers },
    fetch: (url, init) => {
      revision = new Headers(init?.headers).get("mcp-protocol-version") ?? revision;
      return fetch(url, init);
    },
  });
  await client.connect(transport);
  const { tools } = await client.listTools();
  const answers = [];
  for (const call of given.calls) {
    answers.push(await client.callTool({ name: given.tool, arguments: call }));
  }
  await client.close();
  console.log(JSON.stringify({ revision, tools: tools.map((tool) => tool.name), answers }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
