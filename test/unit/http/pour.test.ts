import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { expect, it } from '@jest/globals'
import { pourBody } from '../../../src/http/outbound/pour.ts'
import { createTap } from '../../../src/http/outbound/tap.ts'

it('what the parser has read already is taken without the peer being waited for', async () => {
  let isWaiting = false
  const silence = {
    signal: new AbortController().signal,
    wait: () => void (isWaiting = true),
    stop: () => void (isWaiting = false),
    end: () => undefined,
  }
  const body = new Readable({ read: () => silence.wait() })
  const socket = new Socket()
  createTap().attach(socket)
  const length = 8 * 1024 * 1024
  const pour = pourBody({ body, socket, length, silence, controller: { paused: false } })
  body.push(Buffer.alloc(1024 * 1024))
  const taken: [number, boolean][] = []
  const pouring = pour?.((part) => {
    taken.push([part.length, isWaiting])
    if (taken.length === 1) body.push(Buffer.alloc(1000))
    else body.destroy(new Error('enough'))
    return Promise.resolve()
  })
  await expect(pouring).rejects.toThrow('enough')
  expect(taken.at(-1)).toEqual([1000, false])
})
