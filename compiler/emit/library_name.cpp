#include "compiler/emit/library_name.h"

#include <algorithm>
#include <cctype>

#include "runtime/base/error.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

// Words between blanks, the first and the last have one at their side as well.

/// Those of C++20 and C23, without the words that begin with an underscore.
constexpr std::string_view kKeywords =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t "
    "char32_t char8_t class co_await co_return co_yield compl concept const const_cast "
    "consteval constexpr constinit continue decltype default delete do double dynamic_cast else "
    "enum explicit export extern false float for friend goto if inline int long mutable "
    "namespace new noexcept not not_eq nullptr operator or or_eq private protected public "
    "register reinterpret_cast requires restrict return short signed sizeof static "
    "static_assert static_cast struct switch template this thread_local throw true try typedef "
    "typeid typename typeof union unsigned using virtual void volatile wchar_t while xor xor_eq ";

/// Types, macros and namespaces that the headers of C, C++ and POSIX bring along, beyond those that
/// their spelling shows.
constexpr std::string_view kTaken =
    " AF_DECnet Dl_info Dl_serinfo Dl_serpath PF_DECnet addrinfo cmsghdr complex d_ino dirent "
    "dirent64 dl_find_object drand48_data entry errno f_owner_ex fd_mask fd_set file_handle "
    "flock flock64 gaicb group group_filter group_req group_source_req h_addr h_errno hostent "
    "hsearch_data i386 imaginary in6_addr in6_pktinfo in_addr in_pktinfo iovec ip6_mtuinfo "
    "ip_mreq ip_mreq_source ip_mreqn ip_msfilter ip_opts ipv6_mreq itimerspec itimerval jmp_buf "
    "lconv linger linux math_errhandling mmsghdr msghdr netent nl_catd nl_item noreturn obstack "
    "option osockaddr passwd pollfd protoent qelem random_data re_pattern_buffer re_registers "
    "rlimit rlimit64 rpcent rusage s6_addr s6_addr16 s6_addr32 sa_handler sa_sigaction "
    "sched_param servent sigaction sigcontext sigev_notify_attributes sigev_notify_function "
    "sigevent sigjmp_buf sigstack sigval sockaddr sockaddr_in sockaddr_in6 sockaddr_storage "
    "st_atime st_ctime st_mtime stat stat64 statx statx_timestamp std stderr stdin stdout "
    "sysinfo termio termios timespec timeval timex timezone tm tms u_char u_int u_long u_short "
    "ucred uint ulong unix ushort utimbuf utsname va_list winsize ";

/// Headers of the system that others include: NAME.h must not be found in their place.
constexpr std::string_view kHeaders =
    " aio alloca ar assert byteswap complex cpio ctype dirent dlfcn elf endian err errno error "
    "fcntl features fenv float fmtmsg fnmatch ftw getopt glob grp iconv inttypes langinfo "
    "libgen libintl limits link locale malloc math memory monetary mqueue netdb nl_types paths "
    "poll pthread pwd regex sched search semaphore setjmp shadow signal spawn stab stdalign "
    "stdarg stdatomic stdbool stddef stdfix stdint stdio stdio_ext stdlib stdnoreturn string "
    "strings syscall sysexits syslimits syslog tar termios tgmath threads time uchar ucontext "
    "ulimit unistd utime utmp utmpx values wait wchar wctype wordexp ";

bool has_word(std::string_view list, std::string_view word) {
  return list.find(" " + std::string(word) + " ") != list.npos;
}

bool is_identifier(std::string_view name) {
  constexpr std::size_t kMostCharacters = 40;  // as the DSL allows
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  return !name.empty() && name.size() <= kMostCharacters && name[0] != '_' &&
         std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), is_word);
}

/// EOF, INT_MAX, PRIx64, M_PIf: the macros of C are in capitals, at least in front.
bool looks_like_a_macro(std::string_view name) {
  for (const std::string_view begin : {"L_", "M_", "PRI", "P_", "SCN", "SYS_", "si_"})
    if (name.starts_with(begin)) return true;
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; });
}

}  // namespace

bool is_cpp_keyword(std::string_view word) { return has_word(kKeywords, word); }

void check_library_name(const std::string& name) {
  if (!is_identifier(name)) {
    throw UserError("library name " + runtime::quote(name) + " is not usable",
                    "a letter, then letters, digits and _, at most 40 in all; it becomes part of "
                    "the C functions' names");
  }
  if (is_cpp_keyword(name) || has_word(kTaken, name)) {
    throw UserError("library name '" + name + "' already means something else in C or C++",
                    "choose another with --name");
  }
  if (has_word(kHeaders, name)) {
    throw UserError("library name '" + name + "': its header would stand in for the C library's <" +
                        name + ".h>",
                    "choose another with --name");
  }
  if (name.starts_with("halcyon")) {
    throw UserError("library name '" + name + "' begins with halcyon, as the interface's own names",
                    "choose another with --name");
  }
  if (name.ends_with("_t"))
    throw UserError("library name '" + name + "' ends with _t, as the types of the C library",
                    "choose another with --name");
  if (looks_like_a_macro(name))
    throw UserError("library name '" + name + "' is spelt like a macro of the C library",
                    "choose one in small letters with --name");
}

}  // namespace halcyon::compiler
