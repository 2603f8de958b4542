// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// FLT on the anchor (ERC-20). Each unit stands for one that is locked on the chain; the contract that deployed it alone
/// mints and burns.
contract Flt {
    string public constant name = "Millrace FLT";
    string public constant symbol = "FLT";
    uint8 public constant decimals = 18;

    /// The vault.
    address public immutable vault;

    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    /// The errors of ERC-6093.
    error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
    error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    error ERC20InvalidReceiver(address receiver);
    error ERC20InvalidSpender(address spender);
    /// Only the vault mints and burns.
    error NotVault(address expected, address given);

    constructor() {
        vault = msg.sender;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        // The greatest number is an allowance without end, as wallets expect.
        if (allowed != type(uint256).max) {
            if (allowed < value) revert ERC20InsufficientAllowance(msg.sender, allowed, value);
            allowance[from][msg.sender] = allowed - value;
        }
        move(from, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        if (spender == address(0)) revert ERC20InvalidSpender(spender);
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    /// Makes FLT that was locked on the chain.
    function mint(address to, uint256 value) external {
        requireVault();
        if (to == address(0)) revert ERC20InvalidReceiver(to);
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    /// Destroys FLT that is unlocked on the chain. The vault burns nobody's but its caller's.
    function burn(address from, uint256 value) external {
        requireVault();
        take(from, value);
        totalSupply -= value;
        emit Transfer(from, address(0), value);
    }

    function move(address from, address to, uint256 value) private {
        if (to == address(0)) revert ERC20InvalidReceiver(to);
        take(from, value);
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }

    function take(address from, uint256 value) private {
        uint256 balance = balanceOf[from];
        if (balance < value) revert ERC20InsufficientBalance(from, balance, value);
        balanceOf[from] = balance - value;
    }

    function requireVault() private view {
        if (msg.sender != vault) revert NotVault(vault, msg.sender);
    }
}
