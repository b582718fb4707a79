/** discovery: tells the world who we are. */
export { discoveryPaths, endpointPaths, writeDiscovery, type DiscoveryFacts } from './document.ts'
