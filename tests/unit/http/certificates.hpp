// Certificates made when a test runs, in a folder that goes with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "aiserve/http/method.hpp"

namespace aiserve::http {

struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

// A certificate with its key.
struct Identity {
  std::unique_ptr<X509, CertificateFree> certificate;
  std::unique_ptr<EVP_PKEY, CertificateFree> key;
};

struct IdentityOptions {
  std::string common_name;
  std::string names{};               // "DNS:a.example, URI:spiffe://x"; empty: none
  const Identity* issuer = nullptr;  // null: itself
  long expires_in_s = 3600;
  bool authority = false;
};

inline void add_extension(X509* certificate, int kind, const std::string& text) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, text.c_str());
  if (extension == nullptr) throw std::runtime_error("bad extension " + text);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

inline Identity make_identity(const IdentityOptions& options) {
  static long serial = 0;
  Identity made{decltype(Identity::certificate)(X509_new()),
                decltype(Identity::key)(EVP_EC_gen("P-256"))};
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0xA0 + serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.expires_in_s);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                             -1, -1, 0);
  const Identity& issuer = options.issuer == nullptr ? made : *options.issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
  X509_set_pubkey(certificate, made.key.get());
  if (options.authority) add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  if (!options.names.empty()) add_extension(certificate, NID_subject_alt_name, options.names);
  X509_sign(certificate, issuer.key.get(), EVP_sha256());
  return made;
}

class CertificateFolder {
 public:
  CertificateFolder() {
    std::string name = std::filesystem::temp_directory_path() / "aiserve_tls_XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  CertificateFolder(const CertificateFolder&) = delete;
  ~CertificateFolder() { std::filesystem::remove_all(path_); }

  std::string file(std::string_view name) const { return path_ / name; }

  // NAME.crt and NAME.key.
  void write(const std::string& name, const Identity& identity) const {
    std::FILE* out = std::fopen(file(name + ".crt").c_str(), "w");
    PEM_write_X509(out, identity.certificate.get());
    std::fclose(out);
    out = std::fopen(file(name + ".key").c_str(), "w");
    PEM_write_PrivateKey(out, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
  }
  void write_text(std::string_view name, std::string_view text) const {
    std::ofstream(file(name)) << text;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace aiserve::http
