// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev A token with every function that spec/account.md, section 3, speaks of, and each of them really moves, allows or
/// destroys: a call that the account counts wrongly loses real tokens here. One in a hundred stays behind at a transfer,
/// at the receiver's cost. Amounts are smallest units.
contract WideToken {
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    /// @dev All allowances of an owner together.
    mapping(address owner => uint256) private allowed;
    mapping(address owner => uint256) private operatorCount;
    mapping(address owner => mapping(address operator => bool)) private operators;

    /// @notice What of an owner's tokens nobody else can take: the balance without all allowances, and far below zero
    /// when somebody may take everything.
    function secured(address owner) external view returns (int256) {
        if (operatorCount[owner] != 0) return -int256(1 << 200);
        return int256(balanceOf[owner]) - int256(allowed[owner]);
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// @dev As wrapped native currency does.
    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    // ---- an amount, of the caller

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        _allow(msg.sender, spender, amount);
        return true;
    }

    function increaseAllowance(address spender, uint256 amount) external {
        _allow(msg.sender, spender, _sum(allowance[msg.sender][spender], amount));
    }

    function decreaseAllowance(address spender, uint256 amount) external {
        _allow(msg.sender, spender, allowance[msg.sender][spender] - amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _moveFrom(from, to, amount);
        return true;
    }

    /// @dev The owner's own call needs no signature here.
    function permit(address owner, address spender, uint256 amount, uint256, uint8, bytes32, bytes32) external {
        _permit(owner, spender, amount);
    }

    function permit(address owner, address spender, uint256, uint256, bool all, uint8, bytes32, bytes32) external {
        _permit(owner, spender, all ? type(uint128).max : 0);
    }

    function permit(address owner, address spender, uint256 amount, uint256, bytes calldata) external {
        _permit(owner, spender, amount);
    }

    // ---- without an amount that a limit could count

    function setApprovalForAll(address operator, bool yes) external {
        _operate(operator, yes);
    }

    function authorizeOperator(address operator) external {
        _operate(operator, true);
    }

    function revokeOperator(address operator) external {
        _operate(operator, false);
    }

    function setOperator(address operator, bool yes) external {
        _operate(operator, yes);
    }

    /// @dev ERC-6909: with an id in the middle.
    function transfer(address to, uint256, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function approve(address spender, uint256, uint256 amount) external {
        _allow(msg.sender, spender, amount);
    }

    function transferFrom(address from, address to, uint256, uint256 amount) external {
        _moveFrom(from, to, amount);
    }

    function send(address to, uint256 amount, bytes calldata) external {
        _move(msg.sender, to, amount);
    }

    function transferAndCall(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferAndCall(address to, uint256 amount, bytes calldata) external {
        _move(msg.sender, to, amount);
    }

    function approveAndCall(address spender, uint256 amount) external {
        _allow(msg.sender, spender, amount);
    }

    function approveAndCall(address spender, uint256 amount, bytes calldata) external {
        _allow(msg.sender, spender, amount);
    }

    function safeTransferFrom(address from, address to, uint256 amount) external {
        _moveFrom(from, to, amount);
    }

    function safeTransferFrom(address from, address to, uint256 amount, bytes calldata) external {
        _moveFrom(from, to, amount);
    }

    function safeTransferFrom(address from, address to, uint256, uint256 amount, bytes calldata) external {
        _moveFrom(from, to, amount);
    }

    function transferFromAndCall(address from, address to, uint256 amount) external {
        _moveFrom(from, to, amount);
    }

    function transferFromAndCall(address from, address to, uint256 amount, bytes calldata) external {
        _moveFrom(from, to, amount);
    }

    function operatorSend(address from, address to, uint256 amount, bytes calldata, bytes calldata) external {
        _moveFrom(from, to, amount);
    }

    function burn(uint256 amount) external {
        _move(msg.sender, address(0), amount);
    }

    function burn(uint256 amount, bytes calldata) external {
        _move(msg.sender, address(0), amount);
    }

    function burnFrom(address from, uint256 amount) external {
        _moveFrom(from, address(0), amount);
    }

    function operatorBurn(address from, uint256 amount, bytes calldata, bytes calldata) external {
        _moveFrom(from, address(0), amount);
    }

    // ---- several in one

    function multicall(bytes[] calldata calls) external {
        _several(calls);
    }

    function multicall(uint256, bytes[] calldata calls) external {
        _several(calls);
    }

    function batch(bytes[] calldata calls, bool) external {
        _several(calls);
    }

    // ---- inside

    function _several(bytes[] calldata calls) private {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok,) = address(this).delegatecall(calls[i]);
            require(ok);
        }
    }

    function _permit(address owner, address spender, uint256 amount) private {
        require(owner == msg.sender);
        _allow(owner, spender, amount);
    }

    function _allow(address owner, address spender, uint256 amount) private {
        if (amount > type(uint128).max) amount = type(uint128).max;
        allowed[owner] = allowed[owner] - allowance[owner][spender] + amount;
        allowance[owner][spender] = amount;
    }

    function _operate(address operator, bool yes) private {
        if (operators[msg.sender][operator] == yes) return;
        operators[msg.sender][operator] = yes;
        yes ? ++operatorCount[msg.sender] : --operatorCount[msg.sender];
    }

    function _moveFrom(address from, address to, uint256 amount) private {
        if (msg.sender != from && !operators[from][msg.sender]) {
            _allow(from, msg.sender, allowance[from][msg.sender] - amount);
        }
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount - amount / 100;
    }

    function _sum(uint256 left, uint256 right) private pure returns (uint256) {
        return right > type(uint128).max ? type(uint128).max : left + right;
    }
}
