// RequestState: what a Request shows. Views point into the shared read buffer until own() moves
// the head, and the body if it lies there too, into memory of the request's own.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/clock.hpp"
#include "http/head.hpp"
#include "http/peer.hpp"

namespace aiserve::inline v0::http::detail {

inline constexpr std::size_t kMaxParams = 8;

struct RequestState {
  Head head;
  const char* base = nullptr;  // the bytes that head's offsets count from
  std::string_view path;       // decoded: in base, in decoded_path, or a literal
  std::string_view pattern;    // of the route
  const std::vector<std::string>* param_names = nullptr;
  std::array<std::string_view, kMaxParams> params;  // views of path
  const Peer* peer = nullptr;
  const Clock* clock = nullptr;  // of the Runtime; null: the machine's
  ByteView body;                 // in the read buffer or in body_block
  Bytes body_block;              // empty while the body lies in the read buffer

  std::string decoded_path;
  std::string owned_head;
  std::shared_ptr<const Peer> owned_peer;

  // Decodes the path. False if it is refused (see target.hpp).
  bool bind(const char* head_bytes);
  // After this nothing points into the read buffer any more.
  void own();
  // Copies the head only; for a body that is yet to come.
  void own_head();
  // The connection goes before the handler does.
  void own_peer();
  void clear() noexcept;
};

}  // namespace aiserve::inline v0::http::detail
