// SPDX-License-Identifier: Apache-2.0
// How another thread wakes a coroutine: one shot, safe when the waiting coroutine is gone, and the loop does not run
// dry while the answer is outstanding.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include "community/infra/api/task.hpp"

namespace community::infra {

class Completion : public std::enable_shared_from_this<Completion> {
 public:
  explicit Completion(const AnyExecutor& executor)
      : executor_(boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked)) {}

  // From any thread, once.
  void finish(Result<void> result) {
    auto executor = std::exchange(executor_, AnyExecutor{});
    boost::asio::post(executor, [self = shared_from_this(), result = std::move(result)]() mutable {
      self->result_ = std::move(result);
      self->done_.set();
    });
  }

  // On the loop given at construction. A task that is cancelled waits all the same: what the other thread works on may
  // belong to the task or to who cancels it.
  Task<Result<void>> wait() {
    auto self = shared_from_this();
    co_await done_.wait_uncancelled();
    co_return std::move(result_);
  }

 private:
  AnyExecutor executor_;
  Event done_;
  Result<void> result_;
};

}  // namespace community::infra
