// StatsD (https://github.com/statsd/statsd, npm "statsd") between the workers and Graphite, as
// graphite.json expects it: no prefixes of StatsD's own, and the 95th percentile of timers.
// Run: node stats.js /etc/statsd/voice-ai.js
{
  address: process.env.STATSD_ADDRESS || "127.0.0.1", // in a container: all of its own
  port: 8125,
  mgmt_address: "127.0.0.1",
  mgmt_port: 8126,
  backends: ["./backends/graphite"],
  graphiteHost: "127.0.0.1",
  graphitePort: 2003,
  flushInterval: 10000,
  percentThreshold: [95],
  graphite: {
    legacyNamespace: false,
    globalPrefix: "",
    prefixCounter: "",
    prefixTimer: "",
    prefixGauge: "",
    prefixSet: ""
  }
}
