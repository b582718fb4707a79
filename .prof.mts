import { mountStage } from './test/support/mount-stage.ts'
const stage = await mountStage({ config: { outbound: { timeoutMs: 20000 } } })
const bad = await stage.mount()
for (let i=0;i<1000;i++) bad.sender.store.write(`more/file-${i}.txt`,'x'.repeat(100))
const body='<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:"><d:prop><d:displayname/><d:getlastmodified/><d:getcontentlength/><d:resourcetype/></d:prop></d:propfind>'
for (const [name,b] of [['allprop',undefined],['named',body],['allprop',undefined],['named',body]] as const) {
  const n0=bad.sender.calls.length
  const t=process.cpuUsage(); const w=performance.now()
  for (let i=0;i<10;i++) { const a=await stage.files.propfind(`${bad.path}/more/`,'1',b); if(a.status!==207||!a.text.includes('file-999')) console.log(a.status) }
  const u=process.cpuUsage(t)
  console.log(name,((u.user+u.system)/10000).toFixed(1)+' ms cpu each', ((performance.now()-w)/10).toFixed(1)+' wall', bad.sender.calls.length-n0, [...new Set(bad.sender.calls.slice(n0).map(c=>c.method+c.headers['depth']))])
}
await stage.close()
process.exit()
