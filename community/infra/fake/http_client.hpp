// SPDX-License-Identifier: Apache-2.0
// Answers without a network: queued answers first, then a function of the call.
#pragma once
#include <deque>

#include "community/infra/api/http_client.hpp"

namespace community::infra {

class FakeHttpClient final : public HttpClient {
 public:
  std::vector<HttpCall> calls;

  void answer(Result<HttpResponse> response) { queued_.push_back(std::move(response)); }
  void answer_with(std::function<Result<HttpResponse>(const HttpCall&)> answer) { answer_ = std::move(answer); }

  Task<Result<HttpResponse>> send(HttpCall call) override {
    co_await reschedule();
    calls.push_back(call);
    if (!queued_.empty()) {
      auto response = std::move(queued_.front());
      queued_.pop_front();
      co_return response;
    }
    if (answer_) co_return answer_(call);
    co_return fail(ErrorCode::transport, "the fake has no answer for " + call.url);
  }

 private:
  std::deque<Result<HttpResponse>> queued_;
  std::function<Result<HttpResponse>(const HttpCall&)> answer_;
};

}  // namespace community::infra
