// ClientExchange: one request on one connection, and its answer piece by piece.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aiserve/core/bytes.hpp"
#include "http/body_decoder.hpp"
#include "http/client/client_core.hpp"
#include "http/client/response_parser.hpp"

namespace aiserve::inline v0::http::detail {

// The request as it goes over the wire. The views live as long as the exchange.
struct WireRequest {
  std::string_view head;
  std::string_view body;
  bool head_only;  // a HEAD: its answer has no body
};

class ClientExchange {
 public:
  // `slot` is that of `pool`.
  ClientExchange(ClientCore& core, ClientThread& thread, OriginPool& pool, OriginPool::Slot slot,
                 std::uint64_t max_body);
  ClientExchange(const ClientExchange&) = delete;
  ClientExchange& operator=(const ClientExchange&) = delete;

  // Connects, unless `fresh` is false and a kept connection is there, sends, and reads the head.
  Async<void> start(const Context& ctx, const Url& url, const WireRequest& request, bool fresh);
  ResponseHead& head() noexcept { return parser_->head(); }
  // Appends what comes next of the body, at least one byte; false at its end, when the connection
  // is given back.
  Async<bool> more(const Context& ctx, std::string& out);
  // Bytes the body will have; 0 if that is not known.
  std::size_t expected() const noexcept;

  bool reused() const noexcept { return reused_; }
  bool sent() const noexcept { return socket_ && socket_->sent(); }
  bool answered() const noexcept { return answered_; }

 private:
  Async<void> connect(const Context& ctx, const Url& url);
  Async<void> secure(const Context& ctx, const Url& url);
  Async<void> read_head(const Context& ctx);
  Async<void> receive(const Context& ctx, const Phase& phase);
  void prepare_decoder();
  // False if there is nothing to decode now.
  Result<bool> decode(std::string& out);
  Result<void> finish();
  Error refused() const;

  ClientCore& core_;
  ClientThread& thread_;
  OriginPool& pool_;
  OriginPool::Slot slot_;
  const std::uint64_t max_body_;
  std::optional<ClientSocket> socket_;
  std::optional<ResponseParser> parser_;
  std::optional<BodyDecoder> decoder_;
  std::string_view input_;  // received, not yet parsed
  ByteView coded_;          // of the body, not yet decoded
  bool decoded_any_ = false;
  bool reused_ = false;
  bool answered_ = false;
  bool finished_ = false;
};

}  // namespace aiserve::inline v0::http::detail
