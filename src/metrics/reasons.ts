/** So many reasons per counter have a series of their own. */
const most = 60

/**
 * Makes labels of reasons: our own words stay, everything else (text with a name or an id in it) and
 * whatever comes after the first sixty is `other`, so that nobody outside can make series.
 */
export function createReasons(): (reason: string) => string {
  const known = new Set<string>()
  return (reason) => {
    if (!/^[a-z][a-z0-9_ -]{0,50}$/.test(reason)) return 'other'
    const label = reason.replaceAll(' ', '_')
    if (!known.has(label) && known.size >= most) return 'other'
    known.add(label)
    return label
  }
}
