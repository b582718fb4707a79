import type { Command } from 'commander'
import type { AccessToken } from '../../tokens/index.ts'
import type { Actions } from '../context.ts'
import { facts, instant, table } from '../output.ts'

const tokenJson = (token: AccessToken) => ({
  jti: token.jti,
  shareId: token.shareId,
  clientId: token.clientId,
  issuedAt: instant(token.issuedAt),
  expiresAt: instant(token.expiresAt),
  revokedAt: instant(token.revokedAt),
})

export function addTokenCommands(program: Command, { run }: Actions): void {
  const token = program.command('token').description('access tokens issued to peers')

  token
    .command('list')
    .description('show tokens, newest first')
    .option('--share <id>', 'only of this share')
    .action((options: { share?: string }, command: Command) =>
      run(command, async ({ tokens }) => {
        const all = await tokens.listTokens(options.share)
        const rows = all.map((one) => Object.values(tokenJson(one)))
        const head = ['jti', 'share', 'client', 'issued', 'expires', 'revoked']
        return { json: all.map(tokenJson), text: table(head, rows, 'There are no tokens.') }
      }),
    )

  token
    .command('revoke <jti>')
    .description('end one token, from the next request on')
    .action((jti: string, _options: unknown, command: Command) =>
      run(command, async ({ tokens }) => ({
        json: tokenJson(await tokens.revokeToken(jti)),
        text: `Token ${jti} is revoked.`,
      })),
    )

  token
    .command('inspect <jwt>')
    .description('decode a token of ours and say whether it opens anything now')
    .action((jwt: string, _options: unknown, command: Command) =>
      run(command, async ({ tokens }) => {
        const inspected = await tokens.inspect(jwt)
        const { header, claims, active, reason } = inspected
        return {
          json: inspected,
          text: facts([
            ...Object.entries({ ...header, ...claims }).map(
              ([name, value]) => [name, claimText(name, value)] as const,
            ),
            ['active', active ? 'yes' : `no: ${reason ?? 'unknown'}`],
          ]),
        }
      }),
    )
}

const claimText = (name: string, value: unknown): string =>
  ['exp', 'iat', 'nbf'].includes(name) && typeof value === 'number'
    ? new Date(value * 1000).toISOString()
    : String(value)
