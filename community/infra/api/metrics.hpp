// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms in Prometheus' terms. Handles are cheap to copy, safe from any thread, and live as
// long as the registry. Label values are fixed words, never what an outsider sent: each makes a new series.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace community::infra {

using MetricLabels = std::map<std::string, std::string>;

class Counter {
 public:
  void add(double amount = 1);
  double value() const;

 private:
  friend class Metrics;
  explicit Counter(prometheus::Counter& body) : body_(&body) {}
  prometheus::Counter* body_;
};

class Gauge {
 public:
  void set(double value);
  void add(double amount);
  double value() const;

 private:
  friend class Metrics;
  explicit Gauge(prometheus::Gauge& body) : body_(&body) {}
  prometheus::Gauge* body_;
};

class Histogram {
 public:
  void observe(double value);

 private:
  friend class Metrics;
  explicit Histogram(prometheus::Histogram& body) : body_(&body) {}
  prometheus::Histogram* body_;
};

// Fixed sets, so that dashboards compare: 0.1 ms to 10 s; 1 to 1,000; 256 bytes to 1 MiB.
enum class Buckets { seconds, count, bytes };

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Asking twice for the same name and labels gives the same series.
  Counter counter(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Gauge gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Histogram histogram(const std::string& name, const std::string& help, Buckets buckets,
                      const MetricLabels& labels = {});

  // The text exposition format, for GET /metrics.
  std::string text() const;

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace community::infra
