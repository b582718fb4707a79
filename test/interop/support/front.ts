import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Certificates } from './certificates.ts'
import { findProgram, track } from './tools.ts'

/** What stands before davmesh, with the configuration that docs/deploy recommends. */
export type FrontName = 'nginx' | 'apache' | 'caddy'

/** A public port and the davmesh behind it. */
export interface Passage {
  readonly port: number
  /** `host:port` */
  readonly backend: string
}

export interface Front {
  /** Whether a body was ever put into a file. */
  hasSpooled(): boolean
  stop(): Promise<void>
}

const deploy = (file: string): string =>
  readFileSync(new URL(`../../../docs/deploy/${file}`, import.meta.url), 'utf8')

/** The example of docs/deploy, with the names and ports of this passage. */
function render(file: string, { port, backend }: Passage, certificates: Certificates): string {
  return deploy(file)
    .replaceAll('/etc/letsencrypt/live/cloud.example.org/fullchain.pem', certificates.certificate)
    .replaceAll('/etc/letsencrypt/live/cloud.example.org/privkey.pem', certificates.key)
    .replaceAll('davmesh_backend', `davmesh_${port}`)
    .replaceAll('cloud.example.org', 'localhost')
    .replaceAll('127.0.0.1:8080', backend)
    .replace(/\b443\b/g, String(port))
}

const isRoot = process.geteuid?.() === 0

function nginxConfig(folder: string, sites: readonly string[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/spool/${name};`)
    .join('\n')
  return `${isRoot ? 'user root;' : ''}
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
access_log off;
${temporary}
${sites.map((site) => site.replace(/ *listen \[::\].*\n/, '')).join('\n')}
}
`
}

function apacheConfig(
  folder: string,
  sites: readonly string[],
  passages: readonly Passage[],
): string {
  const modules = ['mpm_event', 'authz_core', 'socache_shmcb', 'ssl', 'proxy', 'proxy_http']
    .concat('reqtimeout', 'env')
    .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  return [
    `ServerRoot ${folder}`,
    'ServerName localhost',
    `PidFile ${folder}/apache.pid`,
    `ErrorLog ${folder}/error.log`,
    `DefaultRuntimeDir ${folder}`,
    ...modules,
    ...(isRoot ? ['User www-data', 'Group www-data'] : []),
    ...passages.map(({ port }) => `Listen 127.0.0.1:${port}`),
    ...sites,
  ].join('\n')
}

function caddyConfig(sites: readonly string[], passages: readonly Passage[], has: Certificates) {
  const named = sites.map((site, index) =>
    site.replace(
      /^localhost \{/m,
      `https://localhost:${String(passages[index]?.port)} {\n\ttls ${has.certificate} ${has.key}`,
    ),
  )
  return ['{\n\tadmin off\n\tauto_https disable_redirects\n}', ...named].join('\n')
}

const programs = { nginx: 'nginx', apache: 'apache2', caddy: 'caddy' } as const

export const hasFront = (name: FrontName): boolean => findProgram(programs[name]) !== undefined

/** @throws Error with what the program said when it does not start. */
export async function startFront(
  name: FrontName,
  folder: string,
  passages: readonly Passage[],
  certificates: Certificates,
): Promise<Front> {
  const file = join(folder, `${name}.conf`)
  const spool = join(folder, 'spool')
  const clientBodies = join(spool, 'client_body')
  mkdirSync(clientBodies, { recursive: true })
  const example = { nginx: 'nginx.conf', apache: 'apache.conf', caddy: 'Caddyfile' }[name]
  const sites = passages.map((passage) => render(example, passage, certificates))
  const args = {
    nginx: ['-c', file, '-e', join(folder, 'error.log')],
    apache: ['-f', file, '-D', 'FOREGROUND'],
    caddy: ['run', '--config', file, '--adapter', 'caddyfile'],
  }[name]
  const text = {
    nginx: () => nginxConfig(folder, sites),
    apache: () => apacheConfig(folder, sites, passages),
    caddy: () => caddyConfig(sites, passages, certificates),
  }[name]()
  writeFileSync(file, text)
  const child = track(
    spawn(findProgram(programs[name]) ?? name, args, {
      env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: spool },
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  )
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (more: string) => (said += more))
  const ended = once(child, 'exit')
  for (const { port } of passages) {
    while (!(await isOpen(port))) {
      if (child.exitCode !== null) throw new Error(`${name} ended:\n${said}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }
  const untouched = [spool, clientBodies].map((path) => statSync(path).mtimeMs)
  return {
    hasSpooled: () =>
      [spool, clientBodies].some((path, index) => statSync(path).mtimeMs !== untouched[index]),
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM')
      await ended
    },
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
