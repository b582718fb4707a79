import type { ServerUnderTest } from '../contract.ts'
import { apache } from './apache.ts'
import { davmesh } from './davmesh.ts'
import { nginx } from './nginx.ts'
import { bareNode, stock } from './node-servers.ts'
import { rclone } from './rclone.ts'

/** In the order of the table's columns. */
export const servers: readonly ServerUnderTest[] = [davmesh, apache, nginx, rclone, stock, bareNode]
