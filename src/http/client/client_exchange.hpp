// ClientExchange: one request on one connection, and its answer piece by piece.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aiserve/core/bytes.hpp"
#include "http/body_decoder.hpp"
#include "http/client/client_core.hpp"
#include "http/client/request_sender.hpp"
#include "http/client/response_parser.hpp"

namespace aiserve::inline v0::http::detail {

// What is known of an answer before it comes.
struct ResponseShape {
  std::uint64_t max_body = 0;
  bool bodiless = false;  // to a HEAD
};

class ClientExchange {
 public:
  // `slot` is that of `pool`.
  ClientExchange(ClientCore& core, ClientThread& thread, OriginPool& pool, OriginPool::Slot slot,
                 std::unique_ptr<RequestSender> sender);
  ClientExchange(const ClientExchange&) = delete;
  ClientExchange& operator=(const ClientExchange&) = delete;

  // Connects, unless `fresh` is false and a kept connection is there, sends, and reads the head. An
  // answer may come before all was sent: of one that refuses or redirects the rest stays here, else
  // it goes on while the answer is read.
  Async<void> start(const Context& ctx, const Url& url, const ResponseShape& shape, bool fresh);
  ResponseHead& head() noexcept { return parser_->head(); }
  // Appends what comes next of the body, at least one byte; false at its end, when the connection
  // is given back.
  Async<bool> more(const Context& ctx, std::string& out);
  // Bytes the body will have; 0 if that is not known.
  std::size_t expected() const noexcept;

  bool reused() const noexcept { return reused_; }
  bool sent() const noexcept { return socket_ && socket_->sent(); }
  bool answered() const noexcept { return answered_; }
  // The source of the request's body was asked; it has failed.
  bool begun() const noexcept { return sender_->begun(); }
  bool spoiled() const noexcept { return sender_->failed(); }

 private:
  Async<void> connect(const Context& ctx, const Url& url);
  Async<void> secure(const Context& ctx, const Url& url);
  Async<void> read_head(const Context& ctx);
  // Until something of the answer has come, or its end; meanwhile the request goes on being sent.
  Async<void> receive(const Context& ctx);
  Result<void> take_in(std::string_view received);
  Async<void> refill(const Context& ctx);
  Async<void> send_rest(const Context& ctx);
  Phase phase() const noexcept;
  void cut_short() noexcept;
  void prepare_decoder();
  // False if there is nothing to decode now.
  Result<bool> decode(std::string& out);
  Result<void> finish();
  Error refused() const;

  ClientCore& core_;
  ClientThread& thread_;
  OriginPool& pool_;
  OriginPool::Slot slot_;
  const std::unique_ptr<RequestSender> sender_;
  std::uint64_t max_body_ = 0;
  std::optional<ClientSocket> socket_;
  std::optional<ResponseParser> parser_;
  std::optional<BodyDecoder> decoder_;
  std::string_view input_;  // received, not yet parsed
  ByteView coded_;          // of the body, not yet decoded
  Deadline first_byte_;     // by when the answer must begin, once the request was sent
  bool cut_short_ = false;  // not all of the request was sent
  bool decoded_any_ = false;
  bool reused_ = false;
  bool answered_ = false;
  bool finished_ = false;
};

}  // namespace aiserve::inline v0::http::detail
