//! Open-loop load: arrivals, requests, latencies.
