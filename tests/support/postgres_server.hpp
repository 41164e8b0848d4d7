// A PostgreSQL server of its own for the tests of a process: in a temporary folder, on a free port
// and a socket in the folder, as a user who isn't root, with fsync on. It dies with the process.
#pragma once

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/process_tree.hpp"
#include "support/temporary_folder.hpp"

namespace aiserve::inline v0::testing {

class PostgresServer {
 public:
  /// The one of this process; nothing where PostgreSQL is not installed.
  static PostgresServer* shared() {
    static const std::unique_ptr<PostgresServer> server =
        programs() ? std::make_unique<PostgresServer>(*programs()) : nullptr;
    return server.get();
  }
  /// Where they are, if they are.
  static const std::optional<std::string>& programs() {
    static const std::optional<std::string> found = find_programs();
    return found;
  }

  /// `settings`: of postgresql.conf, "name=value".
  explicit PostgresServer(std::string programs, std::vector<std::string> settings = {})
      : PostgresServer(std::move(programs), Empty{}) {
    settings_ = std::move(settings);
    run_to_end(
        {"initdb", "-D", data(), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"});
    start();
  }
  /// A standby, by streaming replication.
  PostgresServer(std::string programs, const PostgresServer& primary)
      : PostgresServer(std::move(programs), Empty{}) {
    run_to_end({"pg_basebackup", "-D", data(), "-R", "-c", "fast", "-U", "postgres", "-h",
                primary.folder_.path(), "-p", std::to_string(primary.port_)});
    start();
  }
  ~PostgresServer() {
    if (server_ > 0) ::kill(server_, SIGINT);
    if (server_ > 0) ::waitpid(server_, nullptr, 0);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void start() {
    // Another process may hold the port for a moment.
    for (int tries = 0; tries < 1'000; ++tries) {
      std::vector<std::string> words{"postgres",           "-D", data(), "-k", folder_.path(), "-p",
                                     std::to_string(port_)};
      std::vector<std::string> settings{"listen_addresses=127.0.0.1", "max_connections=200",
                                        "recovery_init_sync_method=syncfs"};
      settings.insert(settings.end(), settings_.begin(), settings_.end());
      for (std::string& one : settings) words.insert(words.end(), {"-c", std::move(one)});
      server_ = launch(std::move(words));
      if (wait_until_ready()) return;
      ::poll(nullptr, 0, 20);
    }
    fail("postgres");
  }
  /// As if the power was cut. Its backends too: one that outlives the server may still commit.
  void kill() {
    kill_with_children(server_);
    server_ = -1;
  }

  std::uint16_t port() const noexcept { return port_; }
  /// With its socket.
  std::string folder() const { return folder_.path(); }
  static std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket, generic, size) != 0 || ::getsockname(socket, generic, &size) != 0)
      fail("port");
    ::close(socket);
    return ntohs(address.sin_port);
  }
  /// Another program beside it, which may use this folder. It dies with the process.
  pid_t launch_as_its_user(const std::string& folder, const std::vector<std::string>& words) const {
    if (user_ != 0 && ::chown(folder.c_str(), user_, group_) != 0) fail("chown");
    return launch(words);
  }
  std::string dsn(const std::string& database, const std::string& more = {}) const {
    return "host=" + folder_.path() + " port=" + std::to_string(port_) +
           " user=postgres dbname=" + database + " " + more;
  }
  /// Of the one that can be written to.
  static std::string dsn_of_either(const PostgresServer& one, const PostgresServer& other,
                                   const std::string& database) {
    return "host=" + one.folder_.path() + ',' + other.folder_.path() +
           " port=" + std::to_string(one.port_) + ',' + std::to_string(other.port_) +
           " user=postgres dbname=" + database + " target_session_attrs=read-write";
  }
  /// From here on no commit is acknowledged that its standby has not on disk.
  void wait_for_each_commit_of(const PostgresServer& standby) const {
    run("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
    run("postgres", "SELECT pg_reload_conf()");
    const std::string sql = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    while (run("postgres", sql) != "1") {
      if (!standby.answers()) fail("standby");
      ::poll(nullptr, 0, 5);
    }
  }
  /// A new, empty one. Its name.
  std::string new_database() {
    const std::string name =
        "test_" + std::to_string(::getpid()) + "_" + std::to_string(++databases_);
    run("postgres", "CREATE DATABASE " + name);
    return name;
  }
  /// The first field of the answer, or what went wrong.
  std::string run(const std::string& database, const std::string& sql) const {
    return run_at(dsn(database), sql);
  }
  static std::string run_at(const std::string& dsn, const std::string& sql) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> conn(PQconnectdb(dsn.c_str()), &PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(conn.get(), sql.c_str()),
                                                               &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return PQerrorMessage(conn.get());
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
  }

 private:
  struct Empty {};
  PostgresServer(std::string programs, Empty /*folder*/) : programs_(std::move(programs)) {
    port_ = free_port();
    const passwd* user = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
    if (user == nullptr) return;
    user_ = user->pw_uid;
    group_ = user->pw_gid;
    if (::chown(folder_.path().c_str(), user_, group_) != 0) fail("chown");
  }

  void run_to_end(std::vector<std::string> words) const {
    const std::string program = words.front();
    int status = 0;
    ::waitpid(launch(std::move(words)), &status, 0);
    if (status != 0) fail(program.c_str());
  }

  bool answers() const { return PQping(dsn("postgres").c_str()) == PQPING_OK; }

  static std::optional<std::string> find_programs() {
    std::error_code none;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
      if (std::filesystem::exists(version.path() / "bin/initdb")) return version.path() / "bin";
    }
    return std::nullopt;
  }

  [[noreturn]] static void fail(const char* what) {
    throw std::runtime_error(std::string("no PostgreSQL for the tests: ") + what);
  }

  std::string data() const { return folder_.file("data"); }

  pid_t launch(std::vector<std::string> words) const {
    if (words.front().front() != '/') words.front() = programs_ + "/" + words.front();
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string log = folder_.file("log");
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) fail("fork");
    if (child > 0) return child;
    if (user_ != 0 &&
        (::setgroups(0, nullptr) != 0 || ::setgid(group_) != 0 || ::setuid(user_) != 0)) {
      ::_exit(126);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGINT);
    if (::getppid() != parent) ::_exit(126);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::setpgid(0, 0);
    if (::chdir("/") != 0) ::_exit(126);
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
  }

  bool wait_until_ready() {
    const std::string where = dsn("postgres");
    for (;;) {
      if (PQping(where.c_str()) == PQPING_OK) return true;
      ::poll(nullptr, 0, 10);
      if (::waitpid(server_, nullptr, WNOHANG) == server_) return false;
    }
  }

  const std::string programs_;
  std::vector<std::string> settings_;
  TemporaryFolder folder_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  std::uint16_t port_ = 0;
  pid_t server_ = -1;
  int databases_ = 0;
};

}  // namespace aiserve::inline v0::testing
