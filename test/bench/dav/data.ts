import { chmod, mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export const coldDirectories = 64
export const bigBytes = 1024 ** 3

const small = Buffer.alloc(4096, 'davmesh ')

/** The tree that every server serves; anybody may write there, because servers change user. */
export async function makeData(data: string, wanted: ReadonlySet<string>): Promise<void> {
  await mkdir(join(data, 'put'))
  // Beyond what the umask lets mkdir do.
  await chmod(join(data, 'put'), 0o777)
  await fill(join(data, 'd1000'), 1000)
  if (wanted.has('propfind-d1-10000')) await fill(join(data, 'd10000'), 10_000)
  if (wanted.has('propfind-d1-cold')) {
    for (let index = 0; index < coldDirectories; index += 1) {
      await fill(join(data, `cold-${index}`), 1000)
    }
  }
  if (['get-1g', 'put-1g', 'stalled'].some((name) => wanted.has(name))) {
    await writeBig(join(data, 'big.bin'))
  }
}

async function fill(directory: string, count: number): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (let index = 0; index < count; index += 1) {
    await writeFile(join(directory, `file-${index}.txt`), small)
  }
}

async function writeBig(path: string): Promise<void> {
  const chunk = Buffer.alloc(1024 ** 2, 'davmesh ')
  const file = await open(path, 'w')
  for (let written = 0; written < bigBytes; written += chunk.length) await file.write(chunk)
  await file.close()
}

/** Some kernels let go of what nobody has read for a minute, even while memory is free. */
export async function readBig(data: string): Promise<void> {
  const file = await open(join(data, 'big.bin'))
  const buffer = Buffer.allocUnsafe(1024 ** 2)
  while ((await file.read(buffer)).bytesRead > 0);
  await file.close()
}

/** Reads the names in each of the directories to be listed for the first time. */
export async function readCold(data: string): Promise<void> {
  for (let index = 0; index < coldDirectories; index += 1) {
    await readdir(join(data, `cold-${index}`), { withFileTypes: true })
  }
}
