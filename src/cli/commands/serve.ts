import type { Command } from 'commander'
import type { Actions, CliServices } from '../context.ts'

/** The first user of an embedded default, and the password that is shown this once. */
interface FirstUser {
  username: string
  password: string
}

export function addServeCommand(program: Command, { deps, config, print }: Actions): void {
  program
    .command('serve')
    .description('run the server')
    .action(async (_options: unknown, command: Command) => {
      const services = await deps.openServices(config(command))
      try {
        const server = await deps.startServer(services)
        if (server.isWorker !== true) {
          const first = await addFirstUser(services)
          const { publicUrl, dataDir } = services.config
          print(command, {
            json: { url: publicUrl, listening: server.address, dataDir, user: first ?? null },
            text: banner(services, server.address, first),
          })
        }
        await server.stopped
      } finally {
        await services.close()
      }
    })
}

/** Only the embedded default makes a user by itself; who writes a config adds users too. */
async function addFirstUser({ config, users }: CliServices): Promise<FirstUser | undefined> {
  if (config.source !== 'built-in defaults' || (await users.countUsers()) > 0) return undefined
  const { user, password = '' } = await users.addUser({ username: 'me' })
  return { username: user.username, password }
}

function banner(services: CliServices, address: string, first: FirstUser | undefined): string {
  const { publicUrl, dataDir } = services.config
  const lines = [
    `davmesh serves ${publicUrl}`,
    `  listening on ${address}, data in ${dataDir}`,
    `  WebDAV: ${publicUrl}/dav/files/<user>/`,
  ]
  if (first !== undefined) lines.push('', ...firstSteps(publicUrl, first))
  return lines.join('\n')
}

function firstSteps(publicUrl: string, { username, password }: FirstUser): string[] {
  const url = `${publicUrl}/dav/files/${username}/`
  return [
    `Made user "${username}" with the app password (shown this once):`,
    '',
    `    ${password}`,
    '',
    'Mount the files with rclone:',
    '',
    `    rclone config create davmesh webdav url=${url} vendor=owncloud user=${username} pass=${password} --obscure && mkdir -p ~/davmesh && rclone mount davmesh: ~/davmesh --daemon --vfs-cache-mode writes --vfs-write-back 1s`,
    '',
    'or with davfs2 (its default buffer is too small for Linux 6.16 and later, hence the file):',
    '',
    `    echo 'buf_size 64' > ~/.davmesh-davfs2.conf; sudo mkdir -p /mnt/davmesh && echo ${password} | sudo mount -t davfs -o conf=$HOME/.davmesh-davfs2.conf,username=${username},uid=$(id -u) ${url} /mnt/davmesh`,
    '',
    'Another password: davmesh user app-password me. Another user: davmesh user add NAME.',
  ]
}
