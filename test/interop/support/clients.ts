import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from './place.ts'
import { mustRun, run, type Finished } from './tools.ts'

/** rclone with the place as its default remote, `:webdav:`; fails if rclone does. */
export async function rcloneFor({ url, accessToken, login, local }: Place) {
  const env: Record<string, string> = {
    // No file: nothing of this machine's configuration takes part.
    RCLONE_CONFIG: join(local, '..', 'no-such-rclone.conf'),
    RCLONE_WEBDAV_URL: `${url}/`,
    RCLONE_RETRIES: '1',
    RCLONE_LOW_LEVEL_RETRIES: '1',
  }
  if (accessToken !== undefined) env['RCLONE_WEBDAV_BEARER_TOKEN'] = accessToken
  if (login !== undefined) {
    env['RCLONE_WEBDAV_USER'] = login.username
    env['RCLONE_WEBDAV_PASS'] = (await mustRun('rclone', ['obscure', login.password])).trim()
  }
  return (...args: readonly string[]): Promise<string> => mustRun('rclone', args, { env })
}

/** curl with the place's credential; fails if curl does or the status is 400 or more. */
export function curlFor({ url, accessToken, login }: Place) {
  const credential =
    login === undefined
      ? `oauth2-bearer = "${accessToken ?? ''}"\n`
      : `basic\nuser = "${login.username}:${login.password}"\n`
  /** @param path of decoded segments below the place. */
  return (path: readonly string[], ...args: readonly string[]): Promise<string> => {
    const target = [url, ...path.map(encodeURIComponent)].join('/')
    const quiet = ['--silent', '--show-error', '--fail-with-body']
    // On standard input, so that no credential is in a process list.
    return mustRun('curl', [...quiet, '--config', '-', ...args, target], { input: credential })
  }
}

/** What stands in a file after somebody has edited it with cadaver. */
export const editedText = 'edited'

/** cadaver sees by the time in whole seconds that something was edited. */
const editor = `sh -c 'printf ${editedText} > "$0"; touch -d tomorrow "$0"'`

/** Runs a cadaver script in the place; what failed is for the caller to find in the output. */
export function cadaverFor({ url, login, local, davmesh }: Place) {
  const { username = '', password = '' } = login ?? {}
  const { hostname } = new URL(davmesh.url)
  const netrc = `machine ${hostname}\nlogin ${username}\npassword ${password}\n`
  writeFileSync(join(local, '.netrc'), netrc, { mode: 0o600 })
  return (lines: readonly string[]): Promise<Finished> => {
    const input = `${lines.join('\n')}\nquit\n`
    return run('cadaver', [`${url}/`], { cwd: local, env: { HOME: local, EDITOR: editor }, input })
  }
}
