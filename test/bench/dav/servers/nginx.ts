import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerUnderTest } from '../contract.ts'
import { findProgram, freePort, startChild, waitUntilAnswering } from '../processes.ts'

const extension = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so'

/** The dav and dav-ext modules, one worker per core, no access log. */
export const nginx: ServerUnderTest = {
  name: 'nginx',
  async start({ dir, data }) {
    const program = findProgram('nginx')
    if (program === undefined || !existsSync(extension)) return undefined
    const port = await freePort()
    const home = join(dir, 'nginx')
    await mkdir(home)
    const config = join(home, 'nginx.conf')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${home}/${name};`)
      .join(' ')
    await writeFile(
      config,
      `${process.geteuid?.() === 0 ? 'user root;' : ''}
load_module ${extension};
daemon off;
worker_processes auto;
pid ${home}/nginx.pid;
error_log ${home}/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  ${temporary}
  include /etc/nginx/mime.types;
  dav_ext_lock_zone zone=locks:1m;
  server {
    listen 127.0.0.1:${port};
    root ${data};
    dav_methods PUT DELETE MKCOL COPY MOVE;
    dav_ext_methods PROPFIND OPTIONS;
  }
}
`,
    )
    const child = startChild(program, ['-c', config, '-e', `${home}/error.log`])
    const url = `http://127.0.0.1:${port}`
    await waitUntilAnswering(url)
    return { name: 'nginx', url, headers: {}, pid: child.pid ?? 0 }
  },
}
