// SPDX-License-Identifier: Apache-2.0
// prometheus-cpp behind handles, so that no other file compiles its headers.
#include "community/infra/api/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace community::infra {

struct Metrics::Body {
  prometheus::Registry registry;
};

void Counter::add(double amount) { body_->Increment(amount); }
double Counter::value() const { return body_->Value(); }
void Gauge::set(double value) { body_->Set(value); }
void Gauge::add(double amount) { body_->Increment(amount); }
double Gauge::value() const { return body_->Value(); }
void Histogram::observe(double value) { body_->Observe(value); }

Metrics::Metrics() : body_(std::make_unique<Body>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(const std::string& name, const std::string& help, const MetricLabels& labels) {
  return Counter(prometheus::BuildCounter().Name(name).Help(help).Register(body_->registry).Add(labels));
}

Gauge Metrics::gauge(const std::string& name, const std::string& help, const MetricLabels& labels) {
  return Gauge(prometheus::BuildGauge().Name(name).Help(help).Register(body_->registry).Add(labels));
}

namespace {
prometheus::Histogram::BucketBoundaries boundaries(Buckets buckets) {
  switch (buckets) {
    case Buckets::seconds:
      return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
    case Buckets::count:
      return {1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000};
    case Buckets::bytes:
      return {256, 1'024, 4'096, 16'384, 65'536, 262'144, 1'048'576};
  }
  return {};
}
}  // namespace

Histogram Metrics::histogram(const std::string& name, const std::string& help, Buckets buckets,
                             const MetricLabels& labels) {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(body_->registry);
  return Histogram(family.Add(labels, boundaries(buckets)));
}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(body_->registry.Collect()); }

}  // namespace community::infra
