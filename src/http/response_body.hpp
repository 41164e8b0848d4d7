// ResponseBody: the bounded buffer between a BodyWriter and its connection, both on one thread.
// What the connection has pulled counts until it has left, so the capacity bounds all of it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aiserve/http/body_writer.hpp"
#include "core/operation.hpp"
#include "http/session_link.hpp"
#include "http/stream_source.hpp"

namespace aiserve::inline v0::http::detail {

class ResponseBody final : public StreamSource {
 public:
  // Sends the head; false if the body will not be read.
  using Begin = std::function<bool(Response&& head)>;

  ResponseBody(std::size_t capacity, Context ctx, std::shared_ptr<SessionLink> link, Begin begin);

  BodyWriter& writer() noexcept { return writer_; }
  Result<void> set_head(Response&& head, std::optional<std::uint64_t> length);
  Async<void> write(Bytes data);

  // The handler has ended well. Nothing was sent: what to answer then. Else an error if bytes are
  // missing.
  bool begun() const noexcept { return begun_; }
  Result<Response> unsent(bool head_only);
  Result<void> finish();
  // What was written goes out, then the connection ends.
  void fail() noexcept;

  State pull(std::vector<Bytes>& pieces) override;
  std::optional<std::uint64_t> length() const noexcept override { return length_; }
  void gone(CancelReason reason) noexcept override;

 private:
  using Waiter = v0::detail::IntrusivePtr<v0::detail::Operation>;

  Result<void> check(std::size_t size);
  bool has_room(std::size_t size) const noexcept;
  Async<void> wait_for_room();
  void push(Bytes&& data);
  void end_small();
  void begin();

  BodyWriter writer_{*this};
  const std::size_t capacity_;
  const Context ctx_;
  const std::shared_ptr<SessionLink> link_;
  Begin begin_;
  Response head_;
  std::optional<std::uint64_t> length_;
  std::uint64_t written_ = 0;
  std::deque<Bytes> queue_;
  std::string small_;        // behind the queue
  std::size_t queued_ = 0;   // bytes of both
  std::size_t leaving_ = 0;  // pulled last
  Waiter waiter_;
  bool begun_ = false;
  bool ended_ = false;
  bool failed_ = false;
  bool gone_ = false;
};

}  // namespace aiserve::inline v0::http::detail
