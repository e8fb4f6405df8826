import { readFileSync, readdirSync } from "node:fs";
import { findAnchors } from "../../shared/redaction/anchors.ts";
const counts: Record<string, number> = {}; const ex: Record<string, Record<string,number>> = {}; let bytes=0;
const walk=(v:unknown)=>{ if(typeof v==='string'){bytes+=v.length; const a=findAnchors(v); if(a) for(const [k,l] of Object.entries(a) as [string,number[]][]) {counts[k]=(counts[k]??0)+l.length; for(const i of l){const s=v.slice(Math.max(0,i-9),i+3); ((ex[k]??={})[s]=(ex[k]![s]??0)+1);} }} else if(Array.isArray(v)) v.forEach(walk); else if(v&&typeof v==='object') for(const x of Object.values(v)) walk(x); };
if (process.argv[2]) { for (const f of readdirSync(process.argv[2],{recursive:true,encoding:'utf8'})) if(/json$|traj$/.test(f)) try{walk(JSON.parse(readFileSync(process.argv[2]+'/'+f,'utf8')))}catch{} }
else for (const f of readdirSync("/tmp/corp/bench-team").slice(0,2)) for (const l of readFileSync("/tmp/corp/bench-team/"+f,"utf8").split("\n")) if (l) walk(JSON.parse(l));
console.log(bytes/1e6, counts); for(const k of ['tokenPrefix','assignment','number','iban','url','at']) console.log(k, Object.entries(ex[k]??{}).sort((a,b)=>b[1]-a[1]).slice(0,14));
