/** `npm run litmus`: every suite for every tree, as a table. */
import { runLitmus, tableOf, verdictsOf, type Verdict } from './run.ts'
import { startLitmusServer, whos } from './server.ts'

const server = await startLitmusServer()
const verdicts: Record<string, Verdict[]> = {}
for (const who of whos) {
  verdicts[who] = verdictsOf(await runLitmus(server.targets[who], server.scratch))
}
await server[Symbol.asyncDispose]()
process.stdout.write(`${tableOf(verdicts)}\n`)
