/** discovery: tells the world who we are. */
export { discoverySchema, jwkSetSchema } from './wire.ts'
export { discoveryPaths, endpointPaths, type DiscoveryFacts } from './document.ts'
