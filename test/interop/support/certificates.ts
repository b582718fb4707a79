import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from './tools.ts'

/** Files of a certificate for `localhost`, and of the authority that vouches for it. */
export interface Certificates {
  readonly authority: string
  readonly certificate: string
  readonly key: string
  /** Puts another certificate in the place of this one. */
  renew(): Promise<void>
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc']

export async function makeCertificates(folder: string): Promise<Certificates> {
  const at = (name: string): string => join(folder, name)
  const openssl = (...args: string[]) => mustRun('openssl', args)
  await openssl(
    ...['req', '-x509', ...newKey, '-subj', '/CN=davmesh test authority', '-days', '2'],
    ...['-keyout', at('ca.key'), '-out', at('ca.pem')],
  )
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  async function issue(): Promise<void> {
    await openssl(
      ...['req', '-new', ...newKey, '-subj', '/CN=localhost'],
      ...['-keyout', at('server.key'), '-out', at('server.csr')],
    )
    await openssl(
      ...['x509', '-req', '-in', at('server.csr'), '-days', '2', '-extfile', at('names')],
      ...['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-out', at('server.pem')],
    )
  }
  await issue()
  return {
    authority: at('ca.pem'),
    certificate: at('server.pem'),
    key: at('server.key'),
    renew: issue,
  }
}
