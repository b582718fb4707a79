import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Compiled code goes only once it was seen unused a few times. */
const times = 4

/** MiB that this process needs: what only waits to be collected depends on what ran before. */
export function liveMib(): number {
  for (let count = 0; count < times; count += 1) collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}
