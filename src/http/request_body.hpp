// RequestBody: the bounded buffer between a connection and a BodyReader, both on one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aiserve/http/body_reader.hpp"
#include "core/operation.hpp"
#include "http/body_decoder.hpp"
#include "http/body_sink.hpp"
#include "http/session_link.hpp"

namespace aiserve::inline v0::http::detail {

class RequestBody final : public BodySink {
 public:
  RequestBody(std::size_t capacity, Context ctx, std::shared_ptr<SessionLink> link);

  // Before the first put(): the body comes in this coding, and may decode to `limit` bytes. It is
  // decoded as far as there is room for it.
  void decode_from(Coding coding, std::uint64_t limit) { decoder_.emplace(coding, limit); }

  // Before the first read(): whose Context ends a wait.
  void follow(Context ctx) { ctx_ = std::move(ctx); }

  BodyReader& reader() noexcept { return reader_; }
  Async<Bytes> read();

  void put(std::string_view piece) override;
  void end() override;
  void fail(Error error) override;
  bool full() const noexcept override { return text_.size() >= capacity_ || !coded_.empty(); }
  bool wanted() const noexcept override { return static_cast<bool>(waiter_); }

 private:
  Async<void> wait_for_more();
  Bytes take();
  void decode();
  void end_decoding();
  void resume() noexcept;

  BodyReader reader_{*this};
  const std::size_t capacity_;
  Context ctx_;
  const std::shared_ptr<SessionLink> link_;
  std::string text_;
  std::optional<BodyDecoder> decoder_;
  std::string coded_;         // what is to be decoded when there is room
  std::size_t coded_at_ = 0;  // how much of it was
  bool coded_ended_ = false;
  v0::detail::IntrusivePtr<v0::detail::Operation> waiter_;
  std::optional<Error> error_;
  bool asked_ = false;
  bool ended_ = false;
};

}  // namespace aiserve::inline v0::http::detail
