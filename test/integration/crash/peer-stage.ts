import { runCliHere } from '../../support/cli-in-process.ts'
import type { Answer } from '../../support/http-request.ts'
import { offerOf } from '../../support/offer.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { crashStage, type CrashStage } from './stage.ts'

/** A server that may be hurt, and a peer that has a share of alice's. */
export interface PeerStage extends AsyncDisposable {
  readonly stage: CrashStage
  readonly peer: IndependentPeer
  readonly shareId: string
  /** Exchanges the share's secret, signed at an instant in epoch milliseconds. */
  askToken(at?: number): Promise<Answer>
  /** Offers alice a share. */
  offer(at?: number): Promise<Answer>
  /** Tells of alice's share that bob accepted it. */
  accept(at?: number): Promise<Answer>
}

const authority = '127.0.0.1:9'

export async function peerStage(settings: Record<string, unknown> = {}): Promise<PeerStage> {
  const publicUrl = `http://${authority}`
  const stage = await crashStage({ publicUrl, ...settings })
  const peer = await independentPeer()
  await stage.fill('Holiday', { 'beach.txt': 'sun and sand' })
  const wish = ['alice', '/Holiday', `bob@${peer.host}`, '--permissions', 'read,write', '--json']
  const args = ['--config', stage.configFile, 'share', 'create', ...wish]
  const { id } = JSON.parse((await runCliHere(args, stage.dataDir)).out) as { id: string }
  const secret = peer.shares[0]?.body.protocol.webdav.sharedSecret ?? ''
  /** The server listens elsewhere than peers believe. */
  const sendTo = (path: string) => ({ sendTo: `http://${stage.process().address}${path}` })
  const server = (at = Date.now()) => ({
    url: publicUrl,
    clock: { seconds: () => Math.floor(at / 1000) },
  })
  return {
    stage,
    peer,
    shareId: id,
    askToken: (at) => peer.askToken(server(at), secret, sendTo('/ocm/token')),
    offer(at) {
      const offered = offerOf({ authority, secrets: new Set() }, peer, {
        shareWith: `alice@${authority}`,
      })
      return peer.offer(server(at), offered, sendTo('/ocm/shares'))
    },
    accept(at) {
      const notice = {
        notificationType: 'SHARE_ACCEPTED',
        resourceType: 'file',
        providerId: id,
        notification: { sharedSecret: secret, message: 'accepted' },
      }
      return peer.notify(server(at), notice, sendTo('/ocm/notifications'))
    },
    async [Symbol.asyncDispose]() {
      await peer.close()
      await stage[Symbol.asyncDispose]()
    },
  }
}
