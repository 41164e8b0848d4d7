#include "http/tls_identity.hpp"

#include <array>
#include <memory>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace aiserve::inline v0::http::detail {
namespace {

struct Free {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(BIGNUM* number) const noexcept { BN_free(number); }
  void operator()(char* text) const noexcept { OPENSSL_free(text); }
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

std::string text_of(const X509_NAME* name) {
  const std::unique_ptr<BIO, Free> out(BIO_new(BIO_s_mem()));
  if (out == nullptr || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string serial_of(const X509& certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(&certificate);
  const std::unique_ptr<BIGNUM, Free> number(ASN1_INTEGER_to_BN(serial, nullptr));
  const std::unique_ptr<char, Free> text(number == nullptr ? nullptr : BN_bn2hex(number.get()));
  return text == nullptr ? std::string() : std::string(text.get());
}

std::string fingerprint_of(const X509& certificate) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string text;
  text.reserve(2 * std::size_t{size});
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15u];
  }
  return text;
}

void add_name(const ASN1_IA5STRING* value, std::vector<std::string>& names) {
  const auto* const data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(value));
  const std::string_view text(data, static_cast<std::size_t>(ASN1_STRING_length(value)));
  // "good.example\0.evil.example" is no name.
  for (const char c : text) {
    if (c <= ' ' || c > '~') return;
  }
  names.emplace_back(text);
}

void add_names(const X509& certificate, ClientCertificate& identity) {
  const std::unique_ptr<GENERAL_NAMES, Free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) add_name(name->d.dNSName, identity.dns_names);
    if (name->type == GEN_URI) add_name(name->d.uniformResourceIdentifier, identity.uris);
    if (name->type == GEN_EMAIL) add_name(name->d.rfc822Name, identity.emails);
  }
}

}  // namespace

std::optional<ClientCertificate> identity_of(const ssl_st& ssl) {
  const std::unique_ptr<X509, Free> certificate(SSL_get1_peer_certificate(&ssl));
  if (certificate == nullptr || SSL_get_verify_result(&ssl) != X509_V_OK) return std::nullopt;
  ClientCertificate identity;
  identity.subject = text_of(X509_get_subject_name(certificate.get()));
  identity.issuer = text_of(X509_get_issuer_name(certificate.get()));
  identity.serial = serial_of(*certificate);
  identity.fingerprint = fingerprint_of(*certificate);
  add_names(*certificate, identity);
  return identity;
}

}  // namespace aiserve::inline v0::http::detail
