import { createLocalTree } from '../../src/files/index.ts'

const nothing = createLocalTree({ root: '/nowhere', durability: 'normal' })

/** For servers that look into no mount by themselves, where a test counts who asks whom. */
export const unvisited = { openMount: () => nothing } as const
