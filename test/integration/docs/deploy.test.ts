import { describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/index.ts'
import { stopMsOf } from '../../../src/server.ts'
import { startServer } from '../../support/start-server.ts'
import { tempDir } from '../../support/temp-dir.ts'

const read = (name: string): string =>
  readFileSync(new URL(`../../../docs/deploy/${name}`, import.meta.url), 'utf8')

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: {
    readonly h: number
    readonly w: number
    readonly x: number
    readonly y: number
  }
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } }
  readonly targets: readonly { readonly refId: string; readonly expr: string }[]
}

interface Dashboard {
  readonly title: string
  readonly uid: string
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string }[]
  }
}

const dashboard = JSON.parse(read('grafana-dashboard.json')) as Dashboard
const alerts = read('prometheus-alerts.yml')

/** Every metric that a fresh server has, by the names that expressions use. */
async function namesOfLiveMetrics(): Promise<Set<string>> {
  await using server = await startServer({ courier: false })
  const { metrics } = server.services()
  metrics.watchProcess()
  const names = new Set<string>()
  for (const [, name = '', type] of (await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)/gm)) {
    names.add(name)
    if (type === 'histogram')
      for (const part of ['bucket', 'sum', 'count']) names.add(`${name}_${part}`)
  }
  return names
}

const metricsIn = (text: string): string[] =>
  [...text.matchAll(/\b(?:davmesh|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name)

describe('the Grafana dashboard', () => {
  it('is of the dashboard model: one grid, ids, a unit and expressions in every panel', () => {
    expect(dashboard).toMatchObject({ title: 'davmesh', uid: 'davmesh', schemaVersion: 39 })
    const { panels } = dashboard
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = new Set<string>()
    for (const { title, type, gridPos, fieldConfig, targets } of panels) {
      expect(['timeseries', 'stat']).toContain(type)
      expect([title, fieldConfig.defaults.unit]).toEqual([
        title,
        expect.stringMatching(/^[a-zA-Z]+$/),
      ])
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      expect(cells.add(`${gridPos.x} ${gridPos.y}`).size).toBe(panels.indexOf(panelOf(title)) + 1)
      expect(targets.length).toBeGreaterThan(0)
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
      for (const { expr } of targets) expect(bracketsOf(expr)).toBe('')
    }
    const variables = dashboard.templating.list.map(({ name }) => name)
    const used = JSON.stringify(panels).matchAll(/\$\{?([a-z]\w*)/g)
    for (const [, name] of used) expect(variables).toContain(name)
  })

  it('and the alerts name only metrics that a live server has', async () => {
    const live = await namesOfLiveMetrics()
    const used = metricsIn(JSON.stringify(dashboard) + alerts)
    expect(used.length).toBeGreaterThan(30)
    expect(used.filter((name) => !live.has(name))).toEqual([])
  })
})

const panelOf = (title: string): Panel => {
  const panel = dashboard.panels.find((one) => one.title === title)
  if (panel === undefined) throw new Error(`no panel ${title}`)
  return panel
}

/** What is left of the brackets once pairs are taken out. */
function bracketsOf(expression: string): string {
  let left = expression.replaceAll(/"[^"]*"/g, '').replaceAll(/[^()[\]{}]/g, '')
  for (let before = ''; before !== left;) {
    before = left
    left = left.replaceAll(/\(\)|\[\]|\{\}/g, '')
  }
  return left
}

describe('the alerts', () => {
  it('have an expression, a severity and a sentence each, and are in docs/operations.md', () => {
    const rules = alerts.split(/^ +- alert: /m).slice(1)
    expect(rules.length).toBeGreaterThan(5)
    const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
    for (const rule of rules) {
      const [name = ''] = rule.split('\n')
      expect(rule).toMatch(/\n +expr: [\s\S]+\n +for: \d+[mh]\n/)
      expect(rule).toMatch(/\n +labels:\n +severity: (critical|warning)\n/)
      expect(rule).toMatch(/\n +annotations:\n +summary: \S.*\n/)
      expect(page).toContain(`| \`${name}\``)
    }
  })

  const isHere = spawnSync('promtool', ['--version']).error === undefined
  const note = isHere ? '' : ' (NOT TRIED: promtool is not installed)'
  ;(isHere ? it : it.skip)(`and the dashboard are what Prometheus reads${note}`, async () => {
    await using folder = await tempDir()
    const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    const rules = expressions.map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m'),
    }))
    const files = [join(folder.path, 'alerts.yml'), join(folder.path, 'dashboard.yml')] as const
    writeFileSync(files[0], alerts)
    // JSON is YAML.
    writeFileSync(files[1], JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    const checked = spawnSync('promtool', ['check', 'rules', ...files], { encoding: 'utf8' })
    expect([checked.status, checked.stderr]).toEqual([0, expect.not.stringContaining('FAILED')])
  })
})

describe('the systemd unit', () => {
  const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  const isHere = analyze('--version').error === undefined
  const note = isHere ? '' : ' (NOT TRIED: systemd-analyze is not installed)'

  ;(isHere ? it : it.skip)(`is sound, and exposed less than 2.0 of 10${note}`, async () => {
    await using folder = await tempDir()
    const file = join(folder.path, 'davmesh.service')
    // Where this is tested, nothing is installed.
    const main = '/usr/bin/node /opt/davmesh/dist/main.js'
    const unit = read('davmesh.service')
    expect(unit).toContain(main)
    writeFileSync(file, unit.replace(main, process.execPath))
    const verified = analyze('verify', file)
    expect([verified.status, verified.stderr]).toEqual([0, ''])
    const judged = analyze('security', '--offline=true', '--threshold=20', file)
    expect([judged.status, judged.stdout]).toEqual([0, expect.stringContaining('exposure level')])
  })

  it('stops after the drain, and starts again only where that helps', () => {
    const unit = read('davmesh.service')
    const config = loadConfig({ environment: {} })
    const timeout = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])
    // Each process has this long; the primary of several waits ten seconds more.
    expect(timeout).toBeGreaterThan(stopMsOf(config) / 1000 + 10)
    expect(unit).toMatch(/^RestartPreventExitStatus=2 78$/m)
    expect(unit).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m)
  })
})

describe('the Containerfile (NOT BUILT: no container engine is used here)', () => {
  const instructions = read('Containerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
      return { name, rest }
    })
  const begins = instructions.flatMap(({ name }, index) => (name === 'FROM' ? [index] : []))
  const last = instructions.slice(begins.at(-1))
  const find = (name: string) => last.filter((one) => one.name === name).map(({ rest }) => rest)

  it('has only instructions that there are, and two stages', () => {
    for (const { name } of instructions) {
      expect(
        'FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD'.split(
          ' ',
        ),
      ).toContain(name)
    }
    expect(begins).toHaveLength(2)
    expect(instructions[0]?.rest).toMatch(/ AS build$/)
  })

  it('runs as nobody special, from what the first stage made, and says whether it lives', () => {
    expect(find('USER')).toEqual(['node'])
    expect(find('RUN').join()).not.toMatch(/npm|apt/)
    const copied = find('COPY').map((rest) => /^--from=build \/build\/(\S+)/.exec(rest)?.[1])
    expect(copied.sort()).toEqual(['dist', 'drizzle', 'node_modules', 'package.json'])
    const [health = ''] = find('HEALTHCHECK')
    expect(health).toContain('/healthz')
    const [, command = ''] = /CMD (\[.*\])$/.exec(health) ?? []
    for (const json of [command, ...find('ENTRYPOINT'), ...find('CMD')]) {
      expect(JSON.parse(json)).toEqual(expect.arrayContaining([expect.any(String)]))
    }
    expect(find('STOPSIGNAL')).toEqual(['SIGTERM'])
  })
})
