/** discovery: tells the world who we are. */
export { discoveryPaths, endpointPaths, type DiscoveryFacts } from './document.ts'
