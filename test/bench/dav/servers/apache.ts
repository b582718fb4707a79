import { existsSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerUnderTest } from '../contract.ts'
import { findProgram, freePort, startChild, waitUntilAnswering } from '../processes.ts'

const modules = '/usr/lib/apache2/modules'

/** mod_dav under the event MPM, Debian's defaults otherwise, no access log. */
export const apache: ServerUnderTest = {
  name: 'apache',
  async start({ dir, data }) {
    const program = findProgram('apache2')
    if (program === undefined || !existsSync(`${modules}/mod_dav_fs.so`)) return undefined
    const port = await freePort()
    const home = join(dir, 'apache')
    const locks = join(home, 'locks')
    await mkdir(locks, { recursive: true })
    await chmod(locks, 0o777)
    const config = join(home, 'apache.conf')
    const load = ['mpm_event', 'authz_core', 'mime', 'dav', 'dav_fs']
      .map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`)
      .join('\n')
    await writeFile(
      config,
      `ServerRoot ${home}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${home}/apache.pid
ErrorLog ${home}/error.log
DefaultRuntimeDir ${home}
${load}
${process.geteuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
TypesConfig /etc/mime.types
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot ${data}
DavLockDB ${locks}/db
<Directory ${data}>
  Dav On
  AllowOverride None
  Require all granted
</Directory>
`,
    )
    const child = startChild(program, ['-f', config, '-D', 'FOREGROUND'])
    const url = `http://127.0.0.1:${port}`
    await waitUntilAnswering(url)
    return { name: 'apache', url, headers: {}, pid: child.pid ?? 0 }
  },
}
