import { readFileSync } from 'node:fs'
import { Agent, fetch, type BodyInit } from 'undici'

export interface HttpsAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export interface HttpsAsk {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: BodyInit
  readonly login?: readonly [username: string, password: string]
}

/** A client that trusts one authority, and comes from one address of this machine. */
export function httpsClient(authorityFile: string, localAddress = '127.0.0.1') {
  const dispatcher = new Agent({ localAddress, connect: { ca: readFileSync(authorityFile) } })
  return {
    async ask(
      method: string,
      url: string,
      { headers = {}, body, login }: HttpsAsk = {},
    ): Promise<HttpsAnswer> {
      const credential = login && Buffer.from(login.join(':')).toString('base64')
      const answer = await fetch(url, {
        ...{ method, dispatcher, duplex: 'half', body: body ?? null },
        headers: { ...headers, ...(credential && { Authorization: `Basic ${credential}` }) },
      })
      const { status } = answer
      return { status, headers: Object.fromEntries(answer.headers), text: await answer.text() }
    },
    close: (): Promise<void> => dispatcher.close(),
  }
}

export type HttpsClient = ReturnType<typeof httpsClient>
