/** The house of docs/architecture.md: who may import whom. Rooms not listed for a room are closed to it. */
const rooms = {
  core: [],
  config: ['core'],
  db: ['core'],
  http: ['core'],
  'http-signatures': ['core'],
  files: ['core'],
  xml: ['core'],
  keys: ['core', 'db', 'http'],
  users: ['core', 'db'],
  outbox: ['core', 'db'],
  peers: ['core', 'db', 'http', 'http-signatures', 'keys'],
  shares: ['core', 'db', 'http', 'peers', 'users', 'files', 'outbox'],
  invites: ['core', 'db', 'http', 'peers', 'users'],
  jobs: ['core', 'db'],
  notifications: ['core', 'db', 'http', 'peers', 'shares', 'outbox'],
  tokens: ['core', 'db', 'http', 'http-signatures', 'keys', 'peers', 'shares'],
  mounts: ['core', 'db', 'http', 'xml', 'files', 'users', 'peers', 'shares'],
  resources: ['core', 'db', 'files'],
  workers: ['core', 'files'],
  auth: ['core', 'http'],
  webdav: ['core', 'http', 'xml', 'files', 'auth'],
  discovery: ['core', 'http'],
  metrics: ['core', 'db', 'http'],
  cli: [
    'core',
    'config',
    'db',
    'keys',
    'users',
    'peers',
    'shares',
    'tokens',
    'outbox',
    'mounts',
    'invites',
    'notifications',
    'jobs',
  ],
}

/** Packages that may be imported only here. */
const quarantine = {
  'webdav-server': ['webdav/', 'auth/webdav-server-authentication'],
  'better-sqlite3': ['db/'],
  'drizzle-orm': ['db/', '[^/]+/queries[.]ts', '(resources|shares)/[^/]+/queries[.]ts'],
  jose: ['keys/', 'peers/', 'tokens/', 'auth/'],
  undici: ['http/'],
  express: ['app[.]ts', 'http/', '[^/]+/routes[.]ts', 'auth/express-auth'],
  'structured-headers': ['http-signatures/'],
  saxes: ['xml/', 'webdav/'],
  commander: ['cli/'],
  'prom-client': ['metrics/'],
}

const escape = (name) => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    ...Object.entries(rooms).map(([room, below]) => ({
      name: `${room}-imports-only-down`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: [`^src/${room}/`, ...below.map((name) => `^src/${name}/`)] },
    })),
    {
      name: 'doors-only',
      comment: 'Another room is entered by its index.ts.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/[^/]+/',
        pathNot: ['^src/$1/', '^src/[^/]+/index[.]ts$', '^src/db/schema/'],
      },
    },
    {
      name: 'doors-only-from-the-top',
      severity: 'error',
      from: { path: '^src/[^/]+[.]ts$' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/[^/]+/index[.]ts$', '^src/[^/]+/routes[.]ts$'] },
    },
    ...Object.entries(quarantine).map(([name, places]) => ({
      name: `${name}-quarantine`,
      severity: 'error',
      from: { path: '^src/', pathNot: places.map((place) => `^src/${place}`) },
      to: { path: `node_modules/${escape(name)}/` },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node'],
    },
  },
}
