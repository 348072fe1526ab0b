package seal

// Status is the state of a seal by the books of who made it (电子印章管理办法, 国办发〔2025〕33号: 使用、停用、注销).
type Status string

const (
	StatusUnknown   Status = ""          // the books do not know the seal
	StatusActive    Status = "active"    // 有效
	StatusSuspended Status = "suspended" // 停用; may become active again
	StatusCancelled Status = "cancelled" // 注销; for good
	StatusVoid      Status = "void"      // 无效: it should never have been made
)
