// SPDX-License-Identifier: Apache-2.0
// The clocks of the operating system.
#include "community/infra/api/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "community/infra/factory.hpp"

namespace community::infra {
namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t now_ms() const override {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<Milliseconds>(since_1970).count();
  }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
  Task<void> sleep_until(SteadyTime when) override {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, when);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() { return std::make_unique<SystemClock>(); }

}  // namespace community::infra
