#include "compiler/emit/archive.h"

#include <llvm/Object/ArchiveWriter.h>
#include <llvm/Support/MemoryBuffer.h>

#include "runtime/base/error.h"

namespace halcyon::compiler {

std::vector<std::byte> make_archive(const std::vector<ArchiveMember>& members) {
  std::vector<llvm::NewArchiveMember> list;
  for (const ArchiveMember& member : members) {
    const llvm::StringRef data(reinterpret_cast<const char*>(member.bytes.data()),
                               member.bytes.size());
    list.emplace_back(llvm::MemoryBufferRef(data, member.name));
  }
  auto buffer = llvm::writeArchiveToBuffer(list, /*WriteSymtab=*/true, llvm::object::Archive::K_GNU,
                                           /*Deterministic=*/true, /*Thin=*/false);
  if (!buffer) throw InternalError("emit: archive: " + llvm::toString(buffer.takeError()));
  const auto* data = reinterpret_cast<const std::byte*>((*buffer)->getBufferStart());
  return {data, data + (*buffer)->getBufferSize()};
}

}  // namespace halcyon::compiler
